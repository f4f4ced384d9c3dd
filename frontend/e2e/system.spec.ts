import { expect, test } from "@playwright/test";
import { logInAsStaff, register, watch } from "./studio";

test("the staff sees the machine, keeps a user out, and takes and tries a backup", async ({
  page,
  browser,
}) => {
  const problems = watch(page);
  const other = await (await browser.newContext()).newPage();
  const name = await register(other);
  await other.goto("/system/users");
  await expect(other.getByText("This page is for the staff of the studio")).toBeVisible();
  await other.getByRole("button", { name: "Your account" }).click();
  await expect(other.getByRole("menuitem", { name: "Account" })).toBeVisible();
  await expect(other.getByRole("menuitem", { name: "System", exact: true })).toBeHidden();

  await logInAsStaff(page);
  await page.getByRole("button", { name: "Your account" }).click();
  await page.getByRole("menuitem", { name: "System", exact: true }).click();
  await expect(page.getByRole("heading", { name: "What waits and runs" })).toBeVisible();

  const part = (title: string) =>
    page.getByRole("navigation", { name: "System" }).getByRole("link", { name: title });
  await part("Users").click();
  await page.getByLabel("Find a user").fill(name);
  const badge = page.getByRole("row", { name: `${name}@` }).getByText("kept out");
  await page.getByRole("button", { name: `More about ${name}` }).click();
  await page.getByRole("menuitem", { name: "Keep out" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Keep out" }).click();
  await expect(badge).toBeVisible();
  expect((await other.request.get("/api/v1/users/me/")).status()).toBe(401);
  await page.getByRole("button", { name: `More about ${name}` }).click();
  await page.getByRole("menuitem", { name: "Let in again" }).click();
  await expect(badge).toBeHidden();

  await part("Backups").click();
  await page.getByRole("button", { name: "Back up now" }).click();
  await expect(page.getByText(/^studio-\d{8}-\d{6}$/)).toBeVisible();
  await page.getByRole("button", { name: "Try the newest backup" }).click();
  await expect(page.getByText("It could be restored")).toBeVisible();
  await expect(page.getByText("The database is whole.")).toBeVisible();

  await part("Storage").click();
  await expect(page.getByText("mobilenet_v2_weights").first()).toBeVisible();
  await page.getByRole("button", { name: "Download ResNet101", exact: true }).click();
  const question = page.getByRole("dialog");
  await expect(question).toContainText("The server fetches about 171 MB from 127.0.0.1:9");
  await expect(question).toContainText("Licence: MIT");
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("progressbar", { name: "Download of ResNet101" })).toBeHidden();
  await page.getByRole("button", { name: "Download ResNet101", exact: true }).click();
  await question.getByRole("button", { name: "Download" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "could not be read" })).toContainText(
    "manage.py weights add",
  );

  await page.getByRole("button", { name: "Add a file of ResNet101", exact: true }).click();
  await expect(question).toContainText("resnet101_weights_tf_dim_ordering_tf_kernels_notop.h5");
  await question
    .locator("input[type=file]")
    .setInputFiles({ name: "resnet101.h5", mimeType: "", buffer: Buffer.from("<!doctype html>") });
  await expect(question.getByRole("alert")).toContainText("is no file of weights");
  await question.getByRole("button", { name: "Cancel" }).click();

  await part("Settings").click();
  await page.getByLabel("Find a setting").fill("backup_dir");
  await expect(page.getByRole("row", { name: /MLSTUDIO_BACKUP_DIR .* environment/ })).toBeVisible();
  // The file that was no weights.
  expect(problems.filter((problem) => !problem.includes("400 (Bad Request)"))).toEqual([]);
});
