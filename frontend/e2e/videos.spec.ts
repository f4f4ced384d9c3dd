import { expect, type Page, test } from "@playwright/test";
import { createProject, register, watch } from "./studio";

test("a video is stepped through to the frame, and frames of it become images", async ({ page }) => {
  const problems = watch(page);
  await register(page);
  await createProject(page, "Line", "What is on the image?", "good, bad");
  await openVideo(page, "bars.mp4");
  const readout = page.getByTestId("readout");
  await expect(readout).toContainText("frame 0 of 74");
  await expect(page.locator("video")).toHaveJSProperty("readyState", 4);
  await expect.poll(() => shownNumber(page)).toBe(0);
  for (let press = 0; press < 6; press += 1) await page.keyboard.press(".");
  await expect(readout).toContainText("frame 6 of 74");
  await expect.poll(() => shownNumber(page)).toBe(6);
  await page.keyboard.press(",");
  await expect(readout).toContainText("0:00.20");
  await expect.poll(() => shownNumber(page)).toBe(5);
  await page.getByRole("slider", { name: "Place in the video" }).press("End");
  await expect(readout).toContainText("frame 74 of 74");
  await expect.poll(() => shownNumber(page)).toBe(74);
  await expect(page.getByRole("img", { name: "Pictures of the video" })).toBeVisible();

  await page.getByText("By scene", { exact: true }).click();
  await page.getByRole("button", { name: "Count them first" }).click();
  await expect(page.getByText(/frames? would be taken/)).toBeVisible();
  await page.getByText("By time", { exact: true }).click();
  await page.getByLabel("Leave out frames that look like one before").uncheck({ force: true });
  await page.getByRole("button", { name: "Take 3 frames" }).click();
  await expect(page.getByText("3 new images.")).toBeVisible();
  await expect(page.getByTestId("marks").locator("span")).toHaveCount(3);
  await page.getByRole("link", { name: "Show the 3 images" }).click();
  await expect(page).toHaveURL(/images\?video=/);
  await expect(page.getByRole("list", { name: "Images" }).getByRole("link")).toHaveCount(3);
  expect(problems).toEqual([]);
});

test("a video that the browser cannot play is shown by frames, and gets a version that it plays", async ({
  page,
}) => {
  await register(page);
  await createProject(page, "Camera", "What is on the image?", "good, bad");
  await openVideo(page, "bars.avi");
  await expect(page.getByText("Your browser cannot play this format.")).toBeVisible();
  const readout = page.getByTestId("readout");
  await expect(readout).toContainText("frame 0 of 39");
  for (let press = 0; press < 3; press += 1) await page.keyboard.press("ArrowRight");
  await expect(readout).toContainText("frame 3 of 39");
  await expect.poll(() => shownNumber(page)).toBe(3);
  await page.getByRole("button", { name: "Make a version for browsers" }).click();
  await expect(page.locator("video")).toHaveJSProperty("readyState", 4);
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => shownNumber(page)).toBeGreaterThan(0);
  await page.getByRole("link", { name: "Videos", exact: true }).click();
  await expect(page.getByRole("link", { name: /bars.avi/ })).toContainText("no frame taken yet");
});

async function openVideo(page: Page, name: string): Promise<void> {
  await page.getByRole("link", { name: "Videos", exact: true }).click();
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Add videos" }).click(),
  ]);
  await chooser.setFiles(`e2e/videos/${name}`);
  const card = page.getByRole("list").getByRole("link", { name: new RegExp(name) });
  await expect(card).toContainText("no frame taken yet");
  await card.click();
  await expect(page.getByRole("heading", { name })).toBeVisible();
}

/** The number that the frame on the screen says in white and black bars, the highest bit at the left. */
function shownNumber(page: Page): Promise<number> {
  return page.evaluate(() => {
    const shown = document.querySelector<HTMLVideoElement | HTMLImageElement>("section video, section img");
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [320, 192];
    const context = canvas.getContext("2d");
    if (!shown || !context) return -1;
    if (shown instanceof HTMLImageElement && shown.naturalWidth === 0) return -1; // the next one is on its way
    context.drawImage(shown, 0, 0, 320, 192);
    let number = 0;
    for (let bit = 0; bit < 10; bit += 1) {
      const [red = 0] = context.getImageData(bit * 32 + 16, 96, 1, 1).data;
      number = number * 2 + (red > 128 ? 1 : 0);
    }
    return number;
  });
}
