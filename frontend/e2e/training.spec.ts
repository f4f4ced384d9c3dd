import { expect, test } from "@playwright/test";
import { createProject, expectAccessible, register, upload, watch } from "./studio";

test("a project that cannot be trained on says what is missing, and where to get it", async ({ page }) => {
  await register(page);
  const project = await createProject(page, "Empty", "What is on the image?", "good, bad");
  await page.getByRole("link", { name: "Trainings", exact: true }).click();
  await expect(page.getByText("No training yet")).toBeVisible();
  await page.getByRole("link", { name: "Train", exact: true }).click();
  await expect(page.getByText("Something is missing before a model can learn.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Train", exact: true })).toBeDisabled();
  await page.getByRole("main").getByRole("link", { name: "Label images" }).click();
  await expect(page).toHaveURL(new RegExp(`${project}/label`));
});

test("from sample images to a model that names what is dragged in, without a lost epoch", async ({
  page,
}) => {
  test.setTimeout(600_000);
  const problems = watch(page);
  await register(page);
  let clicks = 1;
  const click = async (place: import("@playwright/test").Locator) => {
    clicks += 1;
    await place.click();
  };
  await click(page.getByRole("button", { name: "Try with sample images" }));
  await click(page.getByRole("menuitem", { name: "Name what is on an image" }));
  await click(page.getByRole("main").getByRole("link", { name: "Train a model" }).and(page.locator("a")));
  await expect(page.getByRole("heading", { name: "Train a model" })).toBeVisible();
  await click(page.getByRole("radio", { name: "Quick" }));
  await click(page.getByRole("button", { name: "Train", exact: true }));
  await page.waitForURL(/trainings\/[0-9a-f-]{36}$/);
  const training = page.url();
  await expect(page.getByRole("heading", { name: "How it learns" })).toBeVisible({ timeout: 240_000 });
  // Left and found again, and loaded again: the curves are whole.
  await page.getByRole("link", { name: "Overview", exact: true }).click();
  await page.goBack();
  await page.reload();
  await expect(page.getByRole("heading", { name: "How it learns" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Try the model" })).toBeVisible({ timeout: 240_000 });
  await expect(page.getByText(/It named \d+ of \d+ images right/)).toBeVisible();
  const epochs = await page.evaluate(async (id) => {
    const answer = await (await fetch(`/api/v1/trainings/${id}/`)).json();
    return answer.history.length as number;
  }, training.split("/").at(-1));
  await page.getByText("Numbers of every epoch").click();
  await expectAccessible(page, "training");
  const rows = page
    .getByRole("row")
    .filter({ has: page.getByRole("cell", { name: "Learning from the images" }) });
  await expect(rows).toHaveCount(epochs);
  await click(page.getByRole("link", { name: "Try the model" }));
  await expect(page.getByText("Drag an image onto this page")).toBeVisible();
  await dropShape(page);
  await expect(page.getByText(/^It (says|is not sure)/)).toBeVisible();
  expect(clicks).toBeLessThanOrEqual(12);
  await expectAccessible(page, "first-answer");
  await page.getByRole("link", { name: "Overview", exact: true }).click();
  await expect(page.getByRole("main").getByRole("link", { name: "Try the model" })).toBeVisible();
  expect(problems).toEqual([]);
});

test("a training is cancelled and started again; another page hears of its end", async ({ page }) => {
  test.setTimeout(600_000);
  await register(page);
  await createProject(page, "Dots", "What is on the image?", "good, bad");
  await upload(page, 24);
  const project = page.url().split("/projects/")[1]?.split("/")[0] ?? "";
  await labelAll(page, project);
  await page.goto(`/projects/${project}/trainings/new`);
  await page.getByText("Expert settings").click();
  await page.getByLabel("Epochs", { exact: true }).fill("0");
  await expect(page.getByText("At least 1.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Train", exact: true })).toBeDisabled();
  await expect(page.getByText("First correct what is marked in the expert settings.")).toBeVisible();
  await expect(page.getByText("A few steps are timed")).toBeHidden();
  await page.getByLabel("Epochs", { exact: true }).fill("200");
  await page.getByLabel("Early stopping").fill("0");
  // Loaded again, the form is as it was, with what was typed in sight.
  await page.reload();
  await expect(page.getByLabel("Epochs", { exact: true })).toHaveValue("200");
  await expect(page.getByLabel("Early stopping")).toHaveValue("0");
  await page.getByLabel("Early stopping").press("Control+Enter");
  await page.waitForURL(/trainings\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("heading", { name: "How it learns" })).toBeVisible({ timeout: 240_000 });
  await page.keyboard.press("Shift+C");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel the training" }).click();
  await expect(page.getByRole("button", { name: "Train again" })).toBeVisible({ timeout: 60_000 });
  await page.goto(`/projects/${project}/trainings/new`);
  await expect(page.getByLabel("Epochs", { exact: true })).toBeHidden();
  await page.getByRole("radio", { name: "Quick" }).click();
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page.waitForURL(/trainings\/[0-9a-f-]{36}$/);
  await page.getByRole("link", { name: "Images", exact: true }).click();
  await expect(page.getByText("The training is done")).toBeVisible({ timeout: 240_000 });
  await expect(page.getByRole("alert").filter({ hasText: "The training is done" })).toContainText("Dots");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await expect(page.getByRole("link", { name: "Try the model" })).toBeVisible();
  await page.getByRole("link", { name: "All trainings" }).click();
  await page.getByRole("combobox", { name: "State" }).click();
  await page.getByRole("option", { name: "cancelled" }).click();
  await expect(page.getByRole("main").getByText("cancelled").first()).toBeVisible();
  await expect(page).toHaveURL(/state=cancelled/);
});

/** Half of the images get one label, half the other. */
async function labelAll(page: import("@playwright/test").Page, project: string): Promise<void> {
  await page.evaluate(async (id) => {
    const { csrf_token: token } = await (await fetch("/api/v1/auth/session/")).json();
    const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
    const { results } = await (await fetch(`/api/v1/images/?project=${id}&page_size=100`)).json();
    const images = (results as { id: string }[]).map((image) => image.id);
    for (const [label, chosen] of [
      ["good", images.slice(0, 12)],
      ["bad", images.slice(12)],
    ]) {
      const body = JSON.stringify({ action: "label", label, images: chosen });
      await fetch("/api/v1/images/bulk/", { method: "POST", headers, body });
    }
  }, project);
}

/** A green square, dropped onto the page as from a file manager. */
async function dropShape(page: import("@playwright/test").Page): Promise<void> {
  await page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    canvas.width = 320;
    canvas.height = 240;
    const context = canvas.getContext("2d");
    if (!context) return;
    context.fillStyle = "#8b7d70";
    context.fillRect(0, 0, 320, 240);
    context.fillStyle = "#20b020";
    context.fillRect(120, 80, 90, 90);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg"));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([blob as Blob], "mine.jpg", { type: "image/jpeg" }));
    for (const kind of ["dragenter", "dragover", "drop"])
      document.body.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
  });
}
