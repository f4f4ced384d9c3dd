import { expect, type Page, test } from "@playwright/test";
import { createProject, register, upload, watch } from "./studio";

test("duplicates are found and decided, a filter is saved, and a key is changed for every browser", async ({
  page,
  browser,
}) => {
  test.setTimeout(240_000);
  const problems = watch(page);
  const user = await register(page);
  const project = await createProject(page, "Twice", "What is on the image?", "good, bad");
  await upload(page, 8);
  await page.getByRole("region", { name: "Uploads" }).getByRole("button", { name: "Close" }).click();
  await sendCopy(page, project);

  // Duplicates: one is chosen, the other deleted.
  await page.getByRole("link", { name: "Review", exact: true }).click();
  await page.getByRole("link", { name: "Duplicates" }).click();
  await page.getByRole("button", { name: "Look for duplicates" }).click();
  const groups = page.getByTestId("duplicates-group");
  await expect(groups.first()).toBeVisible({ timeout: 60_000 });
  const before = await groups.count();
  const copy = groups.filter({ hasText: "copy.jpg" });
  await expect(copy).toHaveCount(1);
  await copy.getByRole("button", { name: "Keep all" }).click();
  await expect(copy).toHaveCount(0);
  await page.keyboard.press("Control+z");
  await expect(copy).toHaveCount(1);
  await copy.getByRole("radio", { name: "Keep copy.jpg" }).click();
  await page.keyboard.press("d");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(groups).toHaveCount(before - 1);

  // A filter under a name comes back as it was.
  await page.goto(`/projects/${project}/images`);
  await page.locator('[data-facet="Not labelled"]').click();
  await page.getByLabel("File name contains").fill("copy");
  await expect(page.getByText("1 image", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Save this filter" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Only the copy");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await expect(page.getByText("8 images", { exact: true })).toBeVisible();
  await page.locator('[data-saved-filter="Only the copy"]').click();
  await expect(page.getByText("1 image", { exact: true })).toBeVisible();
  expect(page.url()).toContain("annotated=false");

  // A key is changed, with the conflict named, and works in another browser.
  await page.goto("/help/keys");
  const row = page.locator('[data-action="gallery.choose"]');
  await row.getByRole("button", { name: /^Change the keys/ }).click();
  await page.keyboard.press("End");
  await expect(row.getByRole("alert")).toContainText("Last image");
  await row.getByRole("button", { name: "Leave it" }).click();
  await row.getByRole("button", { name: /^Change the keys/ }).click();
  const saved = page.waitForResponse((answer) => answer.request().method() === "PATCH" && answer.ok());
  await page.keyboard.press("w");
  await saved;
  await expect(row).toContainText("W");
  const other = await browser.newContext();
  const second = await other.newPage();
  await second.goto("/login");
  await second.getByLabel("User name").fill(user);
  await second.getByRole("textbox", { name: "Password" }).fill("a-long-pass-phrase-7");
  await second.getByRole("button", { name: "Log in" }).click();
  await expect(second.getByRole("button", { name: "New project" })).toBeVisible();
  await second.goto(`/projects/${project}/images`);
  await expect(second.getByText("8 images", { exact: true })).toBeVisible();
  await second.keyboard.press("ArrowRight");
  await second.keyboard.press("w");
  await expect(second.getByText("1 chosen")).toBeVisible();
  await other.close();
  expect(problems).toEqual([]);
});

/** The first image again at another quality: a near-duplicate of it. */
async function sendCopy(page: Page, project: string): Promise<void> {
  const dataset = await page.evaluate(async (id) => {
    const found = await (await fetch(`/api/v1/datasets/?project=${id}`)).json();
    const images = await (await fetch(`/api/v1/images/?project=${id}&ordering=id&page_size=1`)).json();
    const picture = await createImageBitmap(await (await fetch(images.results[0].file_url)).blob());
    const canvas = document.createElement("canvas");
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.7));
    const { csrf_token: token } = await (await fetch("/api/v1/auth/session/")).json();
    const form = new FormData();
    form.append("files", blob as Blob, "copy.jpg");
    const headers = { "X-CSRFToken": token };
    await fetch(`/api/v1/datasets/${found.results[0].id}/images/`, { method: "POST", body: form, headers });
    return found.results[0].id as string;
  }, project);
  expect(dataset).toBeTruthy();
}

test("an address that nothing has is said within the frame that it lies in", async ({ page }) => {
  await register(page);
  const project = await createProject(page, "Somewhere", "What is on the image?", "good, bad");
  const missing = "01a21efc-c4da-7380-a423-fdba224fad32";
  for (const [path, frame] of [
    [`/projects/${project}/nothing-here`, "Project"],
    [`/projects/${project}/images/${missing}`, "Project"],
    [`/projects/${missing}`, ""],
    ["/nothing-here", ""],
  ] as const) {
    await page.goto(path);
    const main = page.getByRole("main");
    await expect(main.getByRole("heading", { name: "There is nothing at this address" })).toBeVisible();
    await expect(main.getByRole("navigation", { name: "Project" })).toHaveCount(frame ? 1 : 0);
    await expect(page.getByTestId("saved-state")).toBeVisible();
  }
  await page.goto(`/projects/${project}/images/${missing}`);
  await page.getByRole("main").getByRole("link", { name: "To the images" }).click();
  await expect(page).toHaveURL(new RegExp(`/projects/${project}/images$`));
});

test("where there is no image yet, there is a way to add some and no empty filter", async ({ page }) => {
  await register(page);
  await createProject(page, "Empty", "What is on the image?", "good, bad");
  await page.getByRole("link", { name: "Images", exact: true }).click();
  await expect(page.getByText("No images yet")).toBeVisible();
  await expect(page.getByText("Not labelled", { exact: true })).toBeVisible();
  await expect(page.getByText("Split", { exact: true })).toHaveCount(0);
  await page.getByRole("link", { name: "Add images" }).click();
  await expect(page.getByRole("heading", { name: "Add images" })).toBeVisible();
});
