import { expect, test } from "@playwright/test";
import { createProject, expectAccessible, register, upload, watch } from "./studio";

test("a model from elsewhere is sent, tried on the project's images, said again and kept", async ({
  page,
}) => {
  test.setTimeout(300_000);
  const problems = watch(page);
  await register(page);
  const project = await createProject(page, "Elsewhere", "What is on the image?", "good, bad");
  await upload(page, 4);
  await page.getByRole("link", { name: "Models", exact: true }).click();
  await page.getByRole("link", { name: "Add a model from elsewhere" }).click();
  await expect(page.getByLabel(/Labels, one a line/)).toHaveValue("bad\ngood");
  await expectAccessible(page, "upload-model");
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Choose the file" }).click(),
  ]);
  await chooser.setFiles("e2e/models/red-or-blue.tflite");
  // One label too few is refused in words, and nothing that was typed is lost.
  await page.getByLabel(/Labels, one a line/).fill("bad\ngood\nugly");
  await page.getByRole("button", { name: "Send it and try it" }).click();
  await expect(page.getByRole("alert")).toContainText(/labels|outputs/, { timeout: 120_000 });
  await expect(page.getByLabel(/Labels, one a line/)).toHaveValue("bad\ngood\nugly");
  await page.getByLabel(/Labels, one a line/).fill("bad\ngood");
  await page.getByRole("button", { name: "Send it and try it" }).click();
  await expect(page.getByRole("heading", { name: /v1 is here. Is it right\?/ })).toBeVisible({
    timeout: 120_000,
  });
  await expect(page.getByRole("img", { name: /with what the model finds/ })).toHaveCount(4, {
    timeout: 60_000,
  });
  await expectAccessible(page, "model-preview");
  await page.getByRole("button", { name: "Change what I said, and try again" }).click();
  await expect(page.getByLabel(/Labels, one a line/)).toHaveValue("bad\ngood");
  await page.getByText("What it was trained on").click();
  await page.getByRole("combobox", { name: "Order of the colours" }).click();
  await page.getByRole("option", { name: /OpenCV/ }).click();
  await page.getByRole("button", { name: "Send it and try it" }).click();
  await page.getByRole("link", { name: "It is right: to the model" }).click({ timeout: 120_000 });
  await expect(page).toHaveURL(/\/models\/[0-9a-f-]{36}$/);
  const { results } = await (await page.request.get(`/api/v1/models/?project=${project}`)).json();
  expect(results).toHaveLength(1);
  expect(problems).toEqual([]);
});
