import { expect, test } from "@playwright/test";
import { createProject, register, upload, watch } from "./studio";

test("boxes are drawn by dragging and by two clicks, moved by keys, copied and kept", async ({
  page,
  request: _,
}) => {
  const problems = watch(page);
  await register(page);
  await createProject(page, "Boxes", "Where on the image is it?", "dent, scratch");
  await upload(page, 6);
  await page.getByRole("link", { name: "Images", exact: true }).click();
  await page.getByRole("list", { name: "Images" }).getByRole("link").first().click();
  const area = page.getByTestId("annotator-area");
  await expect(area.locator("img")).toHaveJSProperty("complete", true);
  const { x, y, width, height } = (await area.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const at = (across: number, along: number) => [x + across * width, y + along * height] as const;
  await page.mouse.move(...at(0.3, 0.3));
  await page.mouse.down();
  await page.mouse.move(...at(0.4, 0.4));
  await page.mouse.move(...at(0.5, 0.6));
  await page.mouse.up();
  await expect(page.locator("[data-box]")).toHaveCount(1);
  await page.keyboard.press("2");
  await expect(page.locator("[data-box]").first()).toContainText("scratch");
  await page.keyboard.press("Escape");
  await page.mouse.click(...at(0.6, 0.2));
  await page.mouse.move(...at(0.7, 0.3));
  await page.mouse.click(...at(0.75, 0.45));
  await expect(page.locator("[data-box]")).toHaveCount(2);
  const image = page.url().split("/").at(-1)?.split("?")[0];
  const boxes = async () => {
    const answer = await page.request.get(`/api/v1/images/${image}/annotations/`);
    return ((await answer.json()) as { annotations: { box: number[] }[] }).annotations.map(({ box }) => box);
  };
  await expect.poll(async () => (await boxes()).length).toBe(2);
  const before = (await boxes())[1]?.[0] ?? 0;
  await page.keyboard.press("ArrowRight");
  await expect.poll(async () => (await boxes())[1]?.[0]).toBeCloseTo(before + 1, 1);
  await page.keyboard.press("Control+z");
  await expect.poll(async () => (await boxes())[1]?.[0]).toBeCloseTo(before, 1);
  await page.keyboard.press("n");
  await expect(page.getByText("2 of 6")).toBeVisible();
  await page.keyboard.press("c");
  await expect(page.locator("[data-box]")).toHaveCount(2);
  await expect(page.getByTestId("saved-state")).toContainText("Saved");
  await page.reload();
  await expect(page.locator("[data-box]")).toHaveCount(2);
  expect(problems).toEqual([]);
});

test("labels come first, the rail says where one is, and no key for the next image is lost", async ({
  page,
}) => {
  await register(page);
  await page.getByRole("button", { name: "New project" }).click();
  await page.getByLabel("Name").fill("Quick");
  await page.getByText("Where on the image is it?").click();
  await page.getByRole("button", { name: "Create project" }).click();
  await upload(page, 6);
  const panel = page.getByRole("region", { name: "Uploads" });
  await panel.getByRole("link", { name: "To the images" }).click();
  await page.getByRole("list", { name: "Images" }).getByRole("link").first().click();
  await expect(page.getByText("1 of 6")).toBeVisible();
  await expect(page.getByRole("link", { name: "Images", exact: true })).toHaveAttribute(
    "aria-current",
    "page",
  );
  await page.keyboard.press("a");
  await expect(page.getByText("First name what to tell apart")).toBeVisible();
  for (let turn = 0; turn < 4; turn += 1) await page.keyboard.press("n");
  await expect(page.getByText("5 of 6")).toBeVisible();
  for (let turn = 0; turn < 3; turn += 1) await page.keyboard.press("p");
  await expect(page.getByText("2 of 6")).toBeVisible();
  await page.getByRole("link", { name: "Label", exact: true }).click();
  await page.getByRole("link", { name: "Add labels" }).click();
  await page.getByLabel("New label").fill("cell");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("button", { name: "cell", exact: true })).toBeVisible();
  await page.getByRole("link", { name: "Label", exact: true }).click();
  const shown = page.getByTestId("annotator-area").getByRole("img");
  for (let turn = 0; turn < 6; turn += 1) {
    await expect(page.getByText("0 boxes")).toBeVisible();
    await expect(page.locator("nav [aria-current=page]")).toHaveText("Label");
    await page.keyboard.press("a");
    await expect(page.getByText("1 box", { exact: true })).toBeVisible();
    await expect(page.getByText(`${turn + 1} of 6 labelled`)).toBeVisible();
    const before = (await shown.getAttribute("alt")) ?? "";
    await page.keyboard.press("n");
    await expect(page.getByRole("img", { name: before })).toHaveCount(0);
  }
  await expect(page.getByText("Every image here is labelled")).toBeVisible();
});

test("without a connection a box is still there when one comes back, and copied to the next image", async ({
  page,
  context,
}) => {
  await register(page);
  await createProject(page, "Far away", "Where on the image is it?", "dent, scratch");
  await upload(page, 3);
  await page.getByRole("link", { name: "Images", exact: true }).click();
  await page.getByRole("list", { name: "Images" }).getByRole("link").first().click();
  await expect(page.getByText("1 of 3")).toBeVisible();
  await page.waitForLoadState("networkidle");
  await context.setOffline(true);
  await page.keyboard.press("a");
  await page.keyboard.press("n");
  await expect(page.getByText("2 of 3")).toBeVisible();
  await page.keyboard.press("c");
  await expect(page.getByText("1 box", { exact: true })).toBeVisible();
  await page.keyboard.press("p");
  await expect(page.getByText("1 of 3")).toBeVisible();
  await expect(page.getByText("1 box", { exact: true })).toBeVisible();
  await page.keyboard.press("a");
  await expect(page.getByText("2 boxes")).toBeVisible();
  await context.setOffline(false);
  await expect(page.getByTestId("saved-state")).toContainText("Saved");
  await page.reload();
  await expect(page.getByText("2 boxes")).toBeVisible();
  await page.keyboard.press("n");
  await expect(page.getByText("1 box", { exact: true })).toBeVisible();
});

test("the line of a box is as thin on a close view as on the whole image", async ({ page }) => {
  await register(page);
  await createProject(page, "Close", "Where on the image is it?", "dent, scratch");
  await upload(page, 2);
  await page.getByRole("link", { name: "Label", exact: true }).click();
  await expect(page.getByText("0 boxes")).toBeVisible();
  for (let turn = 0; turn < 8; turn += 1) await page.keyboard.press("+");
  await page.keyboard.press("a");
  await expect(page.locator("[data-box]")).toHaveCount(1);
  for (let turn = 0; turn < 2; turn += 1) await page.keyboard.press("-");
  const area = (await page.getByTestId("annotator-area").boundingBox()) ?? {
    x: 0,
    y: 0,
    width: 0,
    height: 0,
  };
  /** Pixels in the colour of the first label along a line from the left into the box. */
  const thickness = async () => {
    const clip = { x: area.x, y: area.y + 0.45 * area.height, width: area.width / 2 - 20, height: 1 };
    const shot = (await page.screenshot({ clip })).toString("base64");
    return page.evaluate(async (png) => {
      const bytes = Uint8Array.from(atob(png), (sign) => sign.charCodeAt(0));
      const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const context = new OffscreenCanvas(image.width, 1).getContext("2d");
      context?.drawImage(image, 0, 0);
      const { data } = context?.getImageData(0, 0, image.width, 1) ?? { data: [] };
      let count = 0;
      for (let at = 0; at < data.length; at += 4)
        if ((data[at + 2] ?? 0) - (data[at] ?? 0) > 60 && (data[at] ?? 0) < 80) count += 1;
      return count;
    }, shot);
  };
  await expect.poll(thickness).toBeLessThanOrEqual(4);
  expect(await thickness()).toBeGreaterThan(0);
});

test("on a close view a box is drawn right beside the corner of another", async ({ page }) => {
  await register(page);
  await createProject(page, "Close together", "Where on the image is it?", "dent, scratch");
  await upload(page, 2);
  await page.getByRole("link", { name: "Label", exact: true }).click();
  await expect(page.getByText("0 boxes")).toBeVisible();
  for (let turn = 0; turn < 20; turn += 1) await page.keyboard.press("+");
  const area = await page.getByTestId("annotator-area").boundingBox();
  if (!area) throw new Error("no annotator");
  for (const [count, x] of [
    ["1 box", 150],
    ["2 boxes", 270],
    ["3 boxes", 390],
  ] as const) {
    await page.mouse.move(area.x + x, area.y + 200);
    await page.mouse.down();
    await page.mouse.move(area.x + x + 100, area.y + 300, { steps: 4 });
    await page.mouse.up();
    await expect(page.getByText(count, { exact: true })).toBeVisible();
  }
});

test("lines are as thin at each step of a zoom, and of many boxes once it is at rest", async ({ page }) => {
  await register(page);
  await createProject(page, "Many boxes", "Where on the image is it?", "dent, scratch");
  await upload(page, 2);
  await page.getByRole("link", { name: "Label", exact: true }).click();
  await expect(page.getByText("0 boxes")).toBeVisible();
  /** Whether the lines fit the zoom, at once after a turn of the wheel or as it is. */
  const fits = (turn: number) =>
    page.getByTestId("annotator-area").evaluate((area, deltaY) => {
      if (deltaY) area.dispatchEvent(new WheelEvent("wheel", { deltaY, cancelable: true }));
      const { style } = area.firstElementChild as HTMLElement;
      return Math.abs(new DOMMatrix(style.transform).a / Number(style.getPropertyValue("--zoom")) - 1) < 1e-4;
    }, turn);
  expect(await fits(-200)).toBe(true);
  const status = await page.evaluate(async () => {
    const session = (await (await fetch("/api/v1/auth/session/")).json()) as { csrf_token: string };
    const address = `/api/v1/images/${location.pathname.split("/").at(-1)}/annotations/`;
    const headers = { "X-CSRFToken": session.csrf_token, "Content-Type": "application/json" };
    const body = Array.from({ length: 300 }, (_, n) => {
      const [left, top] = [(n % 20) * 15, Math.floor(n / 20) * 15];
      return { label: "dent", box: [left, top, left + 9, top + 9] };
    });
    return (await fetch(address, { method: "PUT", headers, body: JSON.stringify(body) })).status;
  });
  expect(status).toBe(200);
  await expect(page.getByText("300 boxes")).toBeVisible();
  expect(await fits(-200)).toBe(false);
  await expect.poll(() => fits(0)).toBe(true);
});
