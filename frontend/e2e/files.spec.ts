import { expect, test } from "@playwright/test";
import { expectAccessible, watch } from "./studio";
import { trainedModel } from "./trained";

test("a model gets a stage, notes, files and a link with a QR code", async ({ page }) => {
  test.setTimeout(600_000);
  const problems = watch(page);
  await page.goto(await trainedModel(page));
  await page.getByRole("link", { name: "Stage and files" }).click();
  await expect(page.getByRole("heading", { name: "Stage: no stage" })).toBeVisible();
  await page.getByRole("button", { name: "Move to production" }).click();
  await page.getByLabel("Why").fill("the first one");
  await page.getByRole("button", { name: "Move it" }).click();
  await expect(page.getByRole("heading", { name: "Stage: production" })).toBeVisible();
  await expect(page.getByText(/the first one/)).toBeVisible();
  // What is in production is not deleted, and it is said why.
  await page.getByRole("button", { name: "Delete the model" }).click();
  await expect(
    page
      .getByRole("dialog")
      .getByText(/is in production/)
      .first(),
  ).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("textbox", { name: "Notes" }).fill("for line 3");
  await page.getByRole("textbox", { name: "Notes" }).blur();
  await page.getByRole("button", { name: "Make LiteRT, int8 weights", exact: true }).click();
  await expect(page.getByRole("link", { name: "Download LiteRT, int8 weights", exact: true })).toBeVisible({
    timeout: 240_000,
  });
  await expect(page.getByText(/For a Raspberry Pi take|is not offered/).first()).toBeVisible();
  await page.getByRole("button", { name: "Make links" }).click();
  await page.getByRole("button", { name: "QR code" }).first().click({ timeout: 60_000 });
  await expect(page.getByRole("img", { name: /QR code of the link/ })).toBeVisible();
  const link = await page
    .getByRole("textbox", { name: /litert|tflite/ })
    .first()
    .inputValue();
  expect(new URL(link).protocol).toMatch(/^http/);
  await page.reload();
  await expect(page.getByRole("textbox", { name: "Notes" })).toHaveValue("for line 3");
  await expectAccessible(page, "model-files");
  await page.getByRole("link", { name: "Where it comes from" }).click();
  for (const name of ["Images and labels", "Snapshot", "Training", "Model", "In use"])
    await expect(page.getByRole("heading", { name, exact: true })).toBeVisible();
  await expect(page.getByText(/\d+ annotations/).first()).toBeVisible();
  await expect(page.getByText("It was not rolled out to devices.")).toBeVisible();
  await expectAccessible(page, "lineage");
  await page.getByRole("link", { name: "Its training" }).click();
  await expect(page).toHaveURL(/trainings\/[0-9a-f-]{36}$/);
  expect(problems).toEqual([]);
});
