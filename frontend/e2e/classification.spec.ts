import { expect, test } from "@playwright/test";
import { createProject, register, startLabelling, upload, watch } from "./studio";

test("from registration to labelled images, undone and found again", async ({ page }) => {
  const problems = watch(page);
  await register(page);
  await createProject(page, "Screws", "What is on the image?", "good, bad");
  await upload(page, 24);
  await startLabelling(page);
  const shown = page.getByTestId("labeling-image");
  for (let n = 0; n < 12; n += 1) {
    const before = await shown.getAttribute("data-image");
    await page.keyboard.press(n % 3 === 0 ? "2" : "1");
    await expect(shown).not.toHaveAttribute("data-image", before ?? "");
  }
  await expect(page.getByText("12 of 24 labelled")).toBeVisible();
  await expect(page.getByTestId("saved-state")).toContainText("Saved");
  // The undo is still on its way when the page is loaded again: it is sent from there, and counted.
  await page.route("**/api/v1/**", async (route) => {
    if (route.request().method() !== "GET") await new Promise((done) => setTimeout(done, 1500));
    await route.continue().catch(() => undefined);
  });
  await page.keyboard.press("Control+z");
  await expect(page.getByText("11 of 24 labelled")).toBeVisible();
  await page.reload();
  await expect(page.getByText("11 of 24 labelled")).toBeVisible();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  // Undo after a reload too.
  await page.keyboard.press("Control+z");
  await expect(page.getByText("10 of 24 labelled")).toBeVisible();

  await page.getByRole("link", { name: "Images", exact: true }).click();
  await expect(page.getByText("24 images")).toBeVisible();
  await page.getByText("Large", { exact: true }).click();
  await expect(page.getByTestId("gallery")).toHaveAttribute("data-first", "0");
  await page.getByTestId("gallery").hover();
  for (let turn = 0; turn < 4; turn += 1) await page.mouse.wheel(0, 700);
  await expect(page.getByTestId("gallery")).not.toHaveAttribute("data-first", "0");
  await page.keyboard.press("Home");
  await page.getByText("Medium", { exact: true }).click();
  await page.locator('[data-facet="good"]').click();
  await expect(page.getByText("6 images")).toBeVisible();
  await page.getByRole("checkbox").first().click({ force: true });
  await page.getByRole("button", { name: "Choose all 6" }).click();
  await page.getByRole("button", { name: "Split" }).click();
  await page.getByRole("menuitem", { name: "Test" }).click();
  await expect(page.getByText("6 images changed.")).toBeVisible();
  await expect(page.locator('[data-facet="Test"]')).toContainText("6");
  await page.keyboard.press("Control+z");
  await expect(page.locator('[data-facet="Test"]')).toHaveCount(0);
  expect(problems).toEqual([]);
});

test("labels wait in the browser while the network is down, and none is lost", async ({ page, context }) => {
  await register(page);
  await createProject(page, "Offline", "What is on the image?", "good, bad");
  await upload(page, 12);
  await startLabelling(page);
  const shown = page.getByTestId("labeling-image");
  await page.waitForTimeout(1500); // the next images are loaded ahead
  await context.setOffline(true);
  for (let n = 0; n < 4; n += 1) {
    const before = await shown.getAttribute("data-image");
    await page.keyboard.press("1");
    await expect(shown).not.toHaveAttribute("data-image", before ?? "");
  }
  await expect(page.getByTestId("saved-state")).toContainText("4 waiting");
  await context.setOffline(false);
  await expect(page.getByTestId("saved-state")).toContainText("Saved", { timeout: 40_000 });
  await expect(page.getByText("4 of 12 labelled")).toBeVisible();
});

test("with many labels the way on stays in reach on a phone", async ({ page }) => {
  await register(page);
  const labels = Array.from({ length: 14 }, (_, number) => `kind ${number + 1}`);
  await createProject(page, "Many labels", "What is on the image?", labels.join(", "));
  await upload(page, 3);
  await page.getByRole("link", { name: "Label", exact: true }).click();
  await expect(page.getByTestId("labeling-image")).toBeVisible();
  for (const [width, height] of [
    [390, 844],
    [1440, 500],
  ] as const) {
    await page.setViewportSize({ width, height });
    await expect(page.getByRole("button", { name: "Skip" })).toBeInViewport({ ratio: 1 });
    await page.getByRole("button", { name: "kind 14" }).scrollIntoViewIfNeeded();
    await expect(page.getByRole("button", { name: "kind 14" })).toBeInViewport({ ratio: 1 });
  }
});
