import { expect, test } from "@playwright/test";
import { createProject, expectNoViolations, register, upload, watch } from "./studio";

test("what was deleted is restored from the message, by a key, and from the trash", async ({ page }) => {
  const problems = watch(page);
  await register(page);
  const project = await createProject(page, "Bolts", "What is on the image?", "good, bad");
  await upload(page, 6);
  await page.getByRole("link", { name: "Images", exact: true }).click();
  await expect(page.getByText("6 images")).toBeVisible();

  const choose = async () => {
    await page.keyboard.press("Control+a");
    await expect(page.getByRole("toolbar")).toContainText("6 chosen");
    await page.getByRole("toolbar").getByRole("button", { name: "Delete" }).click();
    // Whatever older messages still say.
    await expect(page.getByText("0 images", { exact: true })).toBeVisible();
    await expect(page.getByText("6 images changed.").last()).toBeVisible();
  };
  await choose();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("6 images", { exact: true })).toBeVisible();
  await choose();
  await page.keyboard.press("Control+z");
  await expect(page.getByText("6 images", { exact: true })).toBeVisible();
  // A key that comes before the studio's answer is for the same deletion.
  await page.keyboard.press("Control+a");
  await expect(page.getByRole("toolbar")).toContainText("6 chosen");
  await page.route("**/api/v1/images/bulk/", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 600));
    await route.continue();
  });
  await page.getByRole("toolbar").getByRole("button", { name: "Delete" }).click();
  const undone = page.waitForResponse(/\/changes\/[0-9a-f-]+\/undo\/$/);
  await page.keyboard.press("Control+z");
  expect((await undone).ok()).toBe(true);
  await expect(page.getByText("6 images", { exact: true })).toBeVisible();
  await expect(page.getByRole("toolbar")).toBeHidden();
  await page.unroute("**/api/v1/images/bulk/");
  await expect(page.getByText("6 images", { exact: true })).toBeVisible();
  await choose();

  await page.goto(`/projects/${project}/settings`);
  await page.getByRole("link", { name: "Open the trash" }).click();
  await expect(page.getByRole("button", { name: /^Restore/ })).toBeVisible();
  await expectNoViolations(page, "trash");
  await page.getByRole("button", { name: /^Restore/ }).click();
  await expect(page.getByText("The trash is empty")).toBeVisible();
  await page.getByRole("link", { name: "Images", exact: true }).click();
  await expect(page.getByText("6 images", { exact: true })).toBeVisible();

  await page.goto(`/projects/${project}/settings`);
  await page.getByRole("button", { name: "Delete the project" }).click();
  await page.getByRole("dialog").getByRole("textbox").fill("Bolts");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("link", { name: "Deleted projects" }).click();
  await page.getByRole("button", { name: "Restore Bolts" }).click();
  await expect(page.getByText("The trash is empty")).toBeVisible();
  await page.goto("/");
  await expect(page.getByText("Bolts")).toBeVisible();
  expect(problems).toEqual([]);
});
