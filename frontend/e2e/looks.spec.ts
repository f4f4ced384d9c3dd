import { expect, test } from "@playwright/test";
import { createProject, register, startLabelling, upload } from "./studio";

test("keys are shown beside labels, but not where there is only a touch screen", async ({
  page,
  browser,
}) => {
  await register(page);
  const project = await createProject(page, "Keys", "What is on the image?", "good, bad");
  await upload(page, 2);
  await startLabelling(page);
  const key = page.getByRole("button", { name: "good" }).getByText("1", { exact: true });
  await expect(key).toBeVisible();
  const storageState = await page.context().storageState();
  const phone = await browser.newContext({
    storageState,
    isMobile: true,
    hasTouch: true,
    viewport: { width: 390, height: 844 },
  });
  const touched = await phone.newPage();
  await touched.goto(`/projects/${project}/label`);
  const label = touched.getByRole("button", { name: "good" });
  await expect(label).toBeVisible();
  await expect(label.getByText("1", { exact: true })).toBeHidden();
  await touched.goto(`/projects/${project}/labels`);
  await expect(touched.getByRole("button", { name: "good", exact: true })).toBeVisible();
  await expect(touched.getByRole("button", { name: /^Key of good/ })).toHaveCount(0);
  await phone.close();
});

test("a notice in the dark is a panel with a little colour", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto("/reset");
  const notice = page.getByText("This studio sends no mail yet");
  await expect(notice).toBeVisible();
  const spread = await page.locator(".mantine-Alert-root").evaluate((element) => {
    const context = document.createElement("canvas").getContext("2d");
    if (!context) return 255;
    context.fillStyle = getComputedStyle(element).backgroundColor;
    context.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
    return Math.max(red, green, blue) - Math.min(red, green, blue);
  });
  expect(spread).toBeLessThan(40);
});

// Close up Chromium blurs the first boxes of some large images where they share a layer with the image. No image that a page
// draws shows it, so this looks at the layers.
test("boxes are painted apart from the image, so that they are sharp close up", async ({ page }) => {
  await register(page);
  const project = await createProject(page, "Close", "Where on the image is it?", "good, bad");
  await upload(page, 2);
  await page.goto(`/projects/${project}/label`);
  const layers = page.getByTestId("annotator-area").locator("svg[viewBox='0 0 320 240']");
  await expect(layers).toHaveCount(2);
  for (const layer of await layers.all()) await expect(layer).toHaveCSS("will-change", "transform");
});
