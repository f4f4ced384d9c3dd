import { expect, test } from "@playwright/test";
import { createProject, register } from "./studio";

test("a file that was refused is not sent again by each reload", async ({ page }) => {
  await register(page);
  await createProject(page, "Refused", "What is on the image?", "good, bad");
  await page.getByRole("link", { name: "Import", exact: true }).click();
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Choose files" }).click(),
  ]);
  await chooser.setFiles({ name: "no.png", mimeType: "image/png", buffer: Buffer.from("not an image") });
  const panel = page.getByRole("region", { name: "Uploads" });
  await expect(panel).toContainText("Nothing was taken");
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && /datasets\/[\w-]+\/images\//.test(request.url()))
      sent.push(request.url());
  });
  await page.reload();
  await expect(page.getByRole("heading", { name: "Add images" })).toBeVisible();
  await expect(page.getByTestId("saved-state")).toContainText("Saved");
  await expect(panel).toHaveCount(0);
  expect(sent).toEqual([]);
});
