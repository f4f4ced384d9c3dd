import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { pointerToPaint } from "./timing";

interface Plan {
  name: string;
  password: string;
  /** The address of the map. */
  map: string;
}

const plan = JSON.parse(readFileSync(process.env.MEASURE_PLAN ?? "", "utf8")) as Plan;
const REPEATS = 5;

test("a large map", async ({ page, browser }) => {
  test.setTimeout(600_000);
  await page.goto("/login");
  await page.getByLabel("User name").fill(plan.name);
  await page.getByRole("textbox", { name: "Password" }).fill(plan.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("button", { name: "New project" })).toBeVisible();
  const opened: number[] = [];
  // The first time brings the page's scripts into the browser's cache.
  for (let n = 0; n <= REPEATS; n += 1) {
    await page.goto(plan.map, { waitUntil: "commit" });
    const milliseconds = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const look = () =>
            document.querySelector('[data-testid="map"]')
              ? requestAnimationFrame(() => resolve(performance.now()))
              : requestAnimationFrame(look);
          look();
        }),
    );
    if (n > 0) opened.push(milliseconds);
  }
  const { x = 0, y = 0, width = 0, height = 0 } = (await page.getByTestId("map").boundingBox()) ?? {};
  const drag = async (moves: number) => {
    await page.mouse.move(x + width / 4, y + height / 4);
    await page.mouse.down();
    for (let n = 1; n <= moves; n += 1) {
      const turn = (2 * Math.PI * n) / moves;
      await page.mouse.move(
        x + width / 2 - (width / 4) * Math.cos(turn),
        y + height / 2 - (height / 4) * Math.sin(turn),
      );
    }
    await page.mouse.up();
  };
  await page.keyboard.press("h");
  const moved = await pointerToPaint(browser, page, () => drag(60));
  await page.keyboard.press("l");
  const drawn = await pointerToPaint(browser, page, () => drag(60));
  writeFileSync(process.env.MEASURE_RESULT ?? "", JSON.stringify({ opened, moved, drawn }));
});
