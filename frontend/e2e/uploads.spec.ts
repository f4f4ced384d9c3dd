import { mkdirSync, writeFileSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { createProject, dragIn, register } from "./studio";

test("a file that was refused is not sent again by each reload", async ({ page }) => {
  await register(page);
  await createProject(page, "Refused", "What is on the image?", "good, bad");
  await page.getByRole("link", { name: "Import", exact: true }).click();
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Choose files" }).click(),
  ]);
  await chooser.setFiles({ name: "no.png", mimeType: "image/png", buffer: Buffer.from("not an image") });
  const panel = page.getByRole("region", { name: "Uploads" });
  await expect(panel).toContainText("Nothing was taken");
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && /datasets\/[\w-]+\/images\//.test(request.url()))
      sent.push(request.url());
  });
  await page.reload();
  await expect(page.getByRole("heading", { name: "Add images" })).toBeVisible();
  await expect(page.getByTestId("saved-state")).toContainText("Saved");
  await expect(panel).toHaveCount(0);
  expect(sent).toEqual([]);
});

test("images that are dropped on a project without a dataset make one", async ({ page }, testInfo) => {
  await register(page);
  const project = await page.evaluate(async () => {
    const { csrf_token } = await (await fetch("/api/v1/auth/session/")).json();
    const answer = await fetch("/api/v1/projects/", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf_token },
      body: JSON.stringify({ name: "Made by a program", task: "classification" }),
    });
    return (await answer.json()).id as string;
  });
  await page.goto(`/projects/${project}/images`);
  await expect(page.getByText("No images yet")).toBeVisible();
  await dragIn(page, await folderOfImages(page, testInfo.outputPath("photographs"), 3));
  await expect(page.getByText("3 images", { exact: true }).first()).toBeVisible();
});

test("the folders of images become labels that the project had not", async ({ page }, testInfo) => {
  await register(page);
  const project = await createProject(page, "From folders", "What is on the image?", "good, bad");
  await page.goto(`/projects/${project}/import`);
  await page.getByText("Each folder's name is the label of its images").click();
  const folder = await folderOfImages(page, testInfo.outputPath("photographs"), 3);
  await page.locator("input[webkitdirectory]").setInputFiles(folder);
  await expect(page.getByRole("region", { name: "Uploads" })).toContainText("3 files are here");
  await page.getByRole("link", { name: "Labels", exact: true }).click();
  await expect(page.getByRole("button", { name: "photographs", exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "more", exact: true })).toBeVisible();
  await expect(page.getByText("2 images", { exact: true })).toBeVisible();
});

/** Images in a folder of this machine, and one in a folder below it. */
async function folderOfImages(page: Page, folder: string, count: number): Promise<string> {
  mkdirSync(`${folder}/more`, { recursive: true });
  for (const [n, bytes] of (await drawn(page, count)).entries())
    writeFileSync(`${folder}/${n === 0 ? "more/" : ""}${n}.png`, bytes);
  return folder;
}

/** Images that the page draws, each another one. */
async function drawn(page: Page, count: number): Promise<Buffer[]> {
  const files = await page.evaluate(async (wanted) => {
    const canvas = new OffscreenCanvas(64, 48);
    const drawing = canvas.getContext("2d");
    const found: number[][] = [];
    for (let n = 0; n < wanted && drawing; n += 1) {
      drawing.fillStyle = `hsl(${n * 40} 60% 50%)`;
      drawing.fillRect(n * 3, n * 2, 30, 20);
      found.push([...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())]);
    }
    return found;
  }, count);
  return files.map((bytes) => Buffer.from(bytes));
}

test("a second tab leaves an upload to the first, and goes on with it when that one dies", async ({
  page,
  context,
}) => {
  await register(page);
  const project = await createProject(page, "Two tabs", "What is on the image?", "good, bad");
  await page.route(/datasets\/[\w-]+\/images\//, () => undefined); // the first tab waits for its answer for ever
  await page.getByRole("link", { name: "Import", exact: true }).click();
  const files = await drawn(page, 8);
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Choose files" }).click(),
  ]);
  await chooser.setFiles(files.map((buffer, n) => ({ name: `${n}.png`, mimeType: "image/png", buffer })));
  await expect(page.getByRole("region", { name: "Uploads" })).toContainText("0 of 8 sent");
  const second = await context.newPage();
  const sent: string[] = [];
  second.on("request", (request) => {
    if (request.method() === "POST" && /datasets\/[\w-]+\/images\//.test(request.url()))
      sent.push(request.url());
  });
  await second.goto(`/projects/${project}/images`);
  await expect(second.getByText("No images yet")).toBeVisible();
  await second.waitForTimeout(13_000); // longer than it takes to find that a tab is gone
  expect(sent).toEqual([]);
  const session = await context.newCDPSession(page);
  session.send("Page.crash").catch(() => undefined);
  await expect(second.getByText("8 images", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(second.getByRole("region", { name: "Uploads" })).toContainText("8 files are here");
});
