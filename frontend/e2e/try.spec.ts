import { expect, type Page, test } from "@playwright/test";
import { expectAccessible, watch } from "./studio";
import { trainedModel } from "./trained";

// Chromium draws what this camera sees, and nobody is asked.
test.use({
  permissions: ["camera"],
  launchOptions: {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
  },
});

test("an image is tried, taken into a program and kept with its label, and so is the camera", async ({
  page,
}) => {
  test.setTimeout(600_000);
  const problems = watch(page);
  const model = await trainedModel(page);
  await page.goto(model);
  await page.getByRole("link", { name: "With the camera, or beside other models" }).click();
  await expect(page).toHaveURL(/\/try\?model=/);
  // The address changes first; until its heading is there, the page of the model takes what is dropped.
  await expect(page.getByRole("heading", { name: "Try", exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "Choose an image" })).toBeVisible();
  await drop(page, "my circle.jpg");
  const answer = page.getByRole("img", { name: "my circle.jpg with what the model finds" });
  await expect(answer).toBeVisible();
  // What is shown follows the slider, and nothing is asked again.
  const bars = page.getByRole("region", { name: / v1$/ }).locator("[aria-hidden] > div");
  await expect(bars.first()).toBeVisible();
  let asked = 0;
  page.on("request", (request) => {
    if (request.url().includes("/predict/")) asked += 1;
  });
  await page.getByRole("slider", { name: "At least this sure" }).press("End");
  await expect(page.getByText("It is not sure enough to say anything.")).toBeVisible();
  await page.getByRole("button", { name: "As usual" }).click();
  await expect(bars.first()).toBeVisible();
  expect(asked).toBe(0);
  const lines = page.getByRole("region", { name: "For your own program" });
  await expect(lines).toContainText("'files=@my circle.jpg'");
  await expect(lines).toContainText("Token $STUDIO_TOKEN");
  await lines.getByText("Python", { exact: true }).click();
  await expect(lines).toContainText("requests.post(");

  const keep = page.getByRole("region", { name: "Keep the image" });
  await keep.getByRole("combobox", { name: "What it is" }).click();
  await page.getByRole("option", { name: "square" }).click();
  await keep.getByRole("button", { name: "Keep it" }).click();
  await keep.getByRole("link", { name: "Show it" }).click();
  await expect(page).toHaveURL(/\/images\/[0-9a-f-]{36}/);
  const image = page.url().split("/").at(-1)?.split("?")[0];
  const kept = await (await page.request.get(`/api/v1/images/${image}/annotations/`)).json();
  expect(kept.annotations.map(({ label }: { label: string }) => label)).toEqual(["square"]);
  await page.goBack();

  await page.getByText("Camera", { exact: true }).click();
  await expect(page).toHaveURL(/camera=true/);
  const rate = page.getByTestId("rate");
  await expect.poll(async () => Number(await rate.getAttribute("data-rate"))).toBeGreaterThan(0);
  await expectAccessible(page, "try-camera");
  await page.getByRole("button", { name: "Hold this image" }).click();
  await expect(page.getByRole("img", { name: /^camera-.* with what the model finds/ })).toBeVisible();
  await expectAccessible(page, "try-still");

  // The same model over a whole video: what is drawn follows the frame.
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("link", { name: "Videos", exact: true }).click();
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Add videos" }).click(),
  ]);
  await chooser.setFiles("e2e/videos/bars.mp4");
  await page
    .getByRole("list")
    .getByRole("link", { name: /bars.mp4/ })
    .click();
  await page.getByRole("button", { name: "Look at the whole video" }).click();
  const overlay = page.getByTestId("overlay");
  // Files of the model may be made in this account meanwhile, and come first.
  await expect(overlay).toHaveAttribute("data-frame", "0", { timeout: 240_000 });
  await page.keyboard.press(".");
  await page.keyboard.press(".");
  await expect(overlay).toHaveAttribute("data-frame", "2");
  await expect(overlay).toContainText(/circle|square|triangle/);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: /Table \(CSV\)/ }).click(),
  ]);
  expect(download.suggestedFilename()).toContain(".csv");
  await expectAccessible(page, "video-predictions");
  expect(problems).toEqual([]);
});

/** An image that the page draws, dropped anywhere on it. */
async function drop(page: Page, name: string): Promise<void> {
  await expect(page.getByText("Drag an image onto this page, paste one, or choose one.")).toBeVisible();
  await page.evaluate(async (filename) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [200, 200];
    const context = canvas.getContext("2d");
    if (!context) return;
    context.fillStyle = "#eee";
    context.fillRect(0, 0, 200, 200);
    context.fillStyle = "#246";
    context.arc(100, 100, 60, 0, 7);
    context.fill();
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
    const transfer = new DataTransfer();
    if (blob) transfer.items.add(new File([blob], filename, { type: "image/jpeg" }));
    window.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, name);
}

test("a tick beside the answer of a detector shows which box it is about", async ({ page }) => {
  test.setTimeout(600_000);
  const model = await trainedModel(page);
  // A model of one epoch finds nothing: what it answers is put in its place.
  const [, project, id] = /projects\/([^/]+)\/models\/([^/]+)/.exec(model) ?? [];
  await page.route(`**/api/v1/models/${id}/`, async (route) => {
    const response = await route.fetch();
    const json = { ...(await response.json()), task: "detection", detector: { score_threshold: 0.5 } };
    await route.fulfill({ response, json });
  });
  const boxes = [
    { label: "circle", score: 0.9, box: [10, 10, 60, 60] },
    { label: "circle", score: 0.8, box: [100, 100, 180, 180] },
  ];
  const prediction = { filename: "my circle.jpg", width: 200, height: 200, labels: [], boxes };
  await page.route(`**/api/v1/models/${id}/predict/**`, (route) =>
    route.fulfill({ json: { predictions: [prediction], rejected: [], timing_ms: 1 } }),
  );
  await page.goto(`/projects/${project}/try?model=${id}`);
  await drop(page, "my circle.jpg");
  const pointed = page.getByRole("img", { name: /with what the model finds/ }).locator("[data-pointed] rect");
  const second = page.getByRole("checkbox", { name: "circle 80%" });
  await expect(second).toBeVisible();
  await expect(pointed).toHaveCount(0);
  await second.hover();
  await expect(pointed.first()).toHaveAttribute("x", "100");
  await page.mouse.move(0, 0);
  await expect(pointed).toHaveCount(0);
  await page.getByRole("checkbox", { name: "circle 90%" }).focus();
  await expect(pointed.first()).toHaveAttribute("x", "10");
});
