import { expect, test } from "@playwright/test";
import { createProject, expectAccessible, expectNoViolations, register, watch } from "./studio";

test("a device that has failed raises an alarm, and what it sent back waits for a look", async ({ page }) => {
  const problems = watch(page);
  await register(page);
  const project = await createProject(page, "Line", "What is on the image?", "good, bad");
  const device = await page.evaluate(async (id) => {
    const ask = async (path: string, body: unknown) => {
      const { csrf_token: token } = await (await fetch("/api/v1/auth/session/")).json();
      const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
      return (await fetch(`/api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) })).json();
    };
    const { id: group } = await ask("device-groups/", { project: id, name: "Hall 2" });
    const made = await ask("devices/", { project: id, name: "camera 8", group });
    const headers = { Authorization: `Device ${made.key}` };
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [64, 64];
    canvas.getContext("2d")?.fillRect(8, 8, 30, 30);
    const image = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg"));
    const form = new FormData();
    form.append("file", image ?? new Blob(), "unsure.jpg");
    form.append("prediction", JSON.stringify({ labels: [{ label: "bad", score: 0.4 }] }));
    await fetch("/edge/v1/images/", { method: "POST", headers, body: form, credentials: "omit" });
    const report = JSON.stringify({ health: "failed", problem: "The camera is gone." });
    await fetch("/edge/v1/heartbeat/", {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body: report,
      credentials: "omit",
    });
    return made.id as string;
  }, project);
  await page.goto(`/projects/${project}/devices`);
  const alarm = page.getByRole("status").filter({ hasText: "1 device needs a look" });
  await expect(alarm).toContainText("camera 8: its model does not work (The camera is gone.)", {
    timeout: 60_000,
  });
  await expectAccessible(page, "devices-with-alarm");
  await alarm.getByRole("link", { name: "camera 8" }).click();
  await expect(page).toHaveURL(new RegExp(device));
  await expect(page.getByRole("row", { name: /^Alarm its model does not work/ })).toBeVisible();
  await page.goBack();
  await page.getByRole("link", { name: "Images that devices sent back, and nobody has looked at" }).click();
  await expect(page.getByRole("img", { name: "unsure.jpg" })).toBeVisible();
  await expect(page.getByText("1 image waits")).toBeVisible();
  await expectAccessible(page, "review-of-devices");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "No image of a device waits" })).toBeVisible();
  // The page goes on before the studio has answered.
  const confirmed = async () => {
    const { results } = await (await page.request.get(`/api/v1/images/?project=${project}`)).json();
    return results[0].annotations.map((one: { confirmed: boolean }) => one.confirmed);
  };
  await expect.poll(confirmed).toEqual([true]);
  expect(problems).toEqual([]);
});

test("a device has a page: what it reports, a new key, the end of its access", async ({ page }) => {
  const problems = watch(page);
  await register(page);
  await createProject(page, "Line", "What is on the image?", "good, bad");
  const project = page.url().split("/projects/")[1]?.split("/")[0] ?? "";
  await page.evaluate(async (id) => {
    const ask = async (path: string, body: unknown) => {
      const { csrf_token: token } = await (await fetch("/api/v1/auth/session/")).json();
      const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
      return (await fetch(`/api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) })).json();
    };
    const { id: group } = await ask("device-groups/", { project: id, name: "Hall 2" });
    await ask("devices/", { project: id, name: "camera 7", group });
  }, project);
  await page.goto(`/projects/${project}/devices`);
  await page.getByRole("button", { name: "More about Hall 2" }).click();
  await page.getByRole("menuitem", { name: "Settings of the group" }).click();
  const settings = page.getByRole("dialog", { name: "Settings of Hall 2" });
  await settings.getByLabel("Seconds between two questions to the studio").fill("30");
  await settings.getByLabel("Send images back when the model is less sure than").fill("75");
  await expectNoViolations(page, "group settings");
  await settings.getByRole("button", { name: "Save" }).click();
  await expect(settings).toBeHidden();
  await expect(page.getByText("asks every 30 seconds")).toBeVisible();
  await page.getByRole("link", { name: "camera 7" }).click();
  await expect(page.getByRole("heading", { name: "camera 7" })).toBeVisible();
  await expect(page.getByRole("row", { name: "Group Hall 2" })).toBeVisible();
  await expect(page.getByText("None: its group has no roll-out.")).toBeVisible();
  await page.getByRole("button", { name: "Make a new key" }).click();
  await page.getByRole("button", { name: "Make the key" }).click();
  await expect(page.getByRole("textbox", { name: "The new key" })).toHaveValue(/^\S{20,}$/);
  await expect(page.getByRole("button", { name: "Copy" })).toBeVisible();
  await expectAccessible(page, "device");
  // The key is shown once.
  await page.reload();
  await expect(page.getByRole("heading", { name: "Access" })).toBeVisible();
  await expect(page.getByRole("textbox", { name: "The new key" })).toHaveCount(0);
  await page.getByRole("button", { name: "End its access" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End its access" }).click();
  await expect(page.getByText("Its access was ended.")).toBeVisible();
  await page.getByRole("link", { name: "Images that it sent back" }).click();
  await expect(page).toHaveURL(/images\?source=device/);
  expect(problems).toEqual([]);
});

test("the lines for a new device come as a QR code that a camera can read", async ({ page }) => {
  await register(page);
  const project = await createProject(page, "Line", "What is on the image?", "good, bad");
  await page.goto(`/projects/${project}/devices`);
  await page.getByLabel("New group").fill("gate");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("button", { name: "Add devices" }).first().click();
  await page.getByRole("button", { name: "Make a code" }).click();
  await expect(page.getByLabel("Lines for the device")).toHaveValue(/enrol --url .* --code mse_/);
  const code = page.getByRole("img", { name: "QR code of these lines" });
  await expect(code).toBeVisible();
  const modules = Number((await code.getAttribute("viewBox"))?.split(" ").at(-1));
  const box = await code.boundingBox();
  expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(4 * modules);
});
