import { expect, test } from "@playwright/test";
import { createProject, expectNoViolations, register, watch } from "./studio";

test("an archive is looked at first, its labels are mapped, and then it is imported", async ({ page }) => {
  const problems = watch(page);
  await register(page);
  const project = await createProject(page, "Archive", "What is on the image?", "good, bad");
  await page.getByRole("link", { name: "Import", exact: true }).click();
  await page.getByRole("checkbox", { name: "Remove location data (GPS) from the images" }).check();
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Choose files" }).click(),
  ]);
  await chooser.setFiles({ name: "set.zip", mimeType: "application/zip", buffer: await zipOfTwo(page) });
  await expect(page.getByRole("heading", { name: "What is in the archive" })).toBeVisible();
  // Left before it was decided, it is found again, also after the page was loaded again.
  await page.goto(`/projects/${project}`);
  await page.getByRole("link", { name: "What is in an archive" }).click();
  await expect(page.getByRole("heading", { name: "What is in the archive" })).toBeVisible();
  await page.getByRole("combobox", { name: "What Gut becomes" }).click();
  await page.getByRole("option", { name: "good", exact: true }).click();
  await page.getByRole("button", { name: "Import" }).click();
  await page.getByRole("link", { name: "To the images" }).click();
  // Nothing of the upload waits for an answer any more.
  await expect(page.getByRole("region", { name: "Uploads" })).toBeHidden();
  await page.goto(`/projects/${project}/images`);
  await expect(page.locator('[data-facet="good"]')).toContainText("1");
  // A dataset's settings say which images its splits keep together.
  await page.getByRole("link", { name: "Datasets", exact: true }).click();
  await page.getByRole("button", { name: /^Settings of / }).click();
  const settings = page.getByRole("dialog", { name: /^Settings of / });
  await settings.getByLabel("Name").fill("Line 2");
  await settings.getByRole("radio", { name: "Only the same image, saved again" }).check();
  await expectNoViolations(page, "dataset settings");
  await settings.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Settings of Line 2" }).click();
  await expect(page.getByRole("radio", { name: "Only the same image, saved again" })).toBeChecked();
  expect(problems).toEqual([]);
});

test("the folders of an archive whose table is not understood become labels when a person says so", async ({
  page,
}) => {
  const problems = watch(page);
  await register(page);
  await createProject(page, "Folders", "What is on the image?", "bad");
  await page.getByRole("link", { name: "Import", exact: true }).click();
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Choose files" }).click(),
  ]);
  const table = Buffer.from("Path,Roi.X1,ClassId\nGut/a.jpg,5,1\n").toString("base64");
  const buffer = await zipOfTwo(page, [["t.csv", table]]);
  await chooser.setFiles({ name: "set.zip", mimeType: "application/zip", buffer });
  await expect(page.getByText("the names of its folders were not taken as labels")).toBeVisible();
  await expectNoViolations(page, "folders that are no labels");
  await page.getByRole("button", { name: "The folders are the labels" }).click();
  await expect(page.getByRole("combobox", { name: "What Gut becomes" })).toBeVisible();
  await page.getByRole("button", { name: "Import" }).click();
  await page.getByRole("link", { name: "To the images" }).click();
  await expect(page.locator('[data-facet="Gut"]')).toContainText("1");
  expect(problems).toEqual([]);
});

/** A zip of two images in two folders and of more files in base64, stored without compression. */
async function zipOfTwo(
  page: import("@playwright/test").Page,
  more: [string, string][] = [],
): Promise<Buffer> {
  const images = await page.evaluate(() =>
    ["#c33", "#3c3"].map((color, n) => {
      const canvas = document.createElement("canvas");
      canvas.width = 120;
      canvas.height = 90;
      const context = canvas.getContext("2d");
      if (context) {
        context.fillStyle = color;
        context.fillRect(20 * n, 10, 60, 50);
      }
      return canvas.toDataURL("image/jpeg").split(",")[1] ?? "";
    }),
  );
  const files = [["Gut/a.jpg", images[0] ?? ""], ["bad/b.jpg", images[1] ?? ""], ...more] as const;
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const data = Buffer.from(content, "base64");
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, Buffer.from(name), data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from("PK\u0001\u0002\u0014\u0000"), common, tail, Buffer.from(name)]),
    );
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", 0, "latin1");
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

function crc32(data: Buffer): number {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
