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

test("images that are dropped on a project without a dataset make one", async ({ page }) => {
  await register(page);
  const project = await page.evaluate(async () => {
    const { csrf_token } = await (await fetch("/api/v1/auth/session/")).json();
    const answer = await fetch("/api/v1/projects/", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf_token },
      body: JSON.stringify({ name: "Made by a program", task: "classification" }),
    });
    return (await answer.json()).id as string;
  });
  await page.goto(`/projects/${project}/images`);
  await expect(page.getByText("No images yet")).toBeVisible();
  await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(64, 48);
    canvas.getContext("2d")?.fillRect(0, 0, 40, 30);
    const files = new DataTransfer();
    files.items.add(new File([await canvas.convertToBlob()], "first.png", { type: "image/png" }));
    document
      .querySelector("main")
      ?.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: files }));
  });
  await expect(page.getByText("1 image", { exact: true }).first()).toBeVisible();
});
