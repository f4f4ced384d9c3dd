import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "@playwright/test";

interface Plan {
  name: string;
  password: string;
  /** What is opened → its address, and the selector of what must be there. */
  pages: Record<string, [string, string]>;
}

const plan = JSON.parse(readFileSync(process.env.MEASURE_PLAN ?? "", "utf8")) as Plan;
const REPEATS = 5;

test("pages of a large project", async ({ page }) => {
  await page.goto("/login");
  await page.getByLabel("User name").fill(plan.name);
  await page.getByRole("textbox", { name: "Password" }).fill(plan.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("button", { name: "New project" })).toBeVisible();
  const found: Record<string, number[]> = {};
  for (const [name, [address, selector]] of Object.entries(plan.pages)) {
    // The first time brings the page's scripts into the browser's cache.
    for (let n = 0; n <= REPEATS; n += 1) {
      await page.goto(address, { waitUntil: "commit" });
      const milliseconds = await page.evaluate(
        (wanted) =>
          new Promise<number>((resolve) => {
            const look = () =>
              document.querySelector(wanted) ? resolve(performance.now()) : requestAnimationFrame(look);
            look();
          }),
        selector,
      );
      if (n > 0) found[name] = [...(found[name] ?? []), milliseconds];
    }
    writeFileSync(process.env.MEASURE_RESULT ?? "", JSON.stringify(found));
  }
});
