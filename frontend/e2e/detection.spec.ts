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
