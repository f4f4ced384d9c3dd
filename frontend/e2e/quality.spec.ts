import { expect, type Page, test } from "@playwright/test";
import { expectNoViolations, watch } from "./studio";
import { trainedModel } from "./trained";

test("every number of a model opens its images, and one key the annotator", async ({ page }) => {
  test.setTimeout(600_000);
  const problems = watch(page);
  const model = await trainedModel(page);
  await page.goto(model);
  await page.getByRole("link", { name: "How good it is" }).click();
  await expect(page.getByTestId("headline")).toContainText(/Right on \d+ of \d+ images it had never seen/);
  await expect(page.getByText("What to do next")).toBeVisible();
  // Another sort is in the address, and stays when one comes back.
  await page.getByRole("button", { name: "Recall" }).click();
  await expect(page).toHaveURL(/sort=recall/);
  const [number] = await page.getByRole("button", { name: /images with circle/ }).allTextContents();
  await page.getByRole("button", { name: /images with circle/ }).click();
  const panel = page.getByRole("dialog", { name: "All images with circle" });
  await expect(panel.getByText(`1 of ${number}`)).toBeVisible();
  await expect(panel.getByText(/It is annotated as circle/)).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(panel.getByText(`2 of ${number}`)).toBeVisible();
  await expect(page).toHaveURL(/image=/);
  await page.reload();
  await expect(panel.getByText(`2 of ${number}`)).toBeVisible();
  // A key that is pressed while the page's code still comes is for that page.
  await page.route(/AnnotatorPage.*\.js/, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 700));
    await route.continue();
  });
  await page.keyboard.press("e");
  await expect(page).toHaveURL(/\/images\/[0-9a-f-]{36}/);
  await page.keyboard.press("Escape");
  await expect(panel.getByText(`2 of ${number}`)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
  await expect(page).not.toHaveURL(/outcome=/);
  // A cell of the matrix has as many images as it says.
  await page.getByRole("button", { name: "Confusion" }).click();
  const cell = page.getByRole("table").getByRole("button").first();
  const count = await cell.textContent();
  await cell.press("Enter");
  await expect(page.getByRole("dialog").getByText(`1 of ${count}`)).toBeVisible();
  await page.keyboard.press("Escape");
  // So has a point of a curve.
  await page.getByRole("button", { name: "Charts" }).click();
  for (const name of [/^Precision over recall of/, /^ROC of/]) {
    const curve = page.getByRole("slider", { name });
    await curve.focus();
    // The first point of a ROC is above all scores, and has no images.
    await page.keyboard.press("ArrowRight");
    await expect(curve).toHaveAttribute("aria-valuetext", /Enter/);
    await page.keyboard.press("Enter");
    const images = page.getByRole("dialog", { name: /, from a score of/ });
    await expect(images.getByText(/1 of \d+$/)).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(images).toBeHidden();
  }
  await page.getByRole("button", { name: "Thresholds" }).click();
  await page.getByRole("slider", { name: "Lowest score", exact: true }).press("End");
  await expect(page.getByText("Lowest score: 100%")).toBeVisible();
  for (const [scheme, width] of [
    ["light", 1440],
    ["dark", 390],
  ] as const)
    await checkViews(page, scheme, width);
  expect(problems).toEqual([]);
});

async function checkViews(page: Page, scheme: "light" | "dark", width: number): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme });
  await page.setViewportSize({ width, height: 900 });
  const address = page.url().split("?")[0];
  const views = ["labels", "confusion", "mistakes", "charts", "thresholds", "card", "confusion&outcome=all"];
  for (const view of views) {
    await page.goto(`${address}?view=${view}`);
    await expect(page.getByTestId("headline")).toBeAttached();
    await page.waitForLoadState("networkidle", { timeout: 3000 }).catch(() => undefined);
    await fillCells(page);
    await expectNoViolations(page, `${view}, ${scheme}`);
  }
}

/** As of a model that is always right, or always wrong: how dark a cell is does not hang on how well this one has learned. */
async function fillCells(page: Page): Promise<void> {
  const cells = await page.locator("table button[style*='--heat']").all();
  for (const cell of cells) await cell.evaluate((element) => element.style.setProperty("--heat", "1"));
}
