import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { createProject, register, upload } from "./studio";

test("no page breaks a rule of accessibility, light or dark, wide or narrow", async ({ page }) => {
  test.setTimeout(300_000);
  for (const path of ["/login", "/register", "/reset"]) {
    await page.goto(path);
    await expect(page.getByRole("heading")).toBeVisible();
    await check(page, path);
  }
  await register(page);
  const project = await createProject(page, "Pages", "What is on the image?", "good, bad");
  await upload(page, 6);
  await page.getByRole("region", { name: "Uploads" }).getByRole("button", { name: "Close" }).click();
  const base = `/projects/${project}`;
  const paths = [
    "/",
    "/account",
    "/activity",
    "/about",
    "/trash",
    base,
    ...["images", "label", "review", "labels", "datasets", "import", "settings", "settings/trash"].map(
      (name) => `${base}/${name}`,
    ),
  ];
  for (const [scheme, width] of [
    ["light", 1440],
    ["dark", 390],
  ] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    for (const path of paths) {
      await page.goto(path);
      await page.waitForLoadState("networkidle").catch(() => undefined);
      await page.waitForTimeout(400);
      await check(page, `${path.replace(project, "…")} ${scheme} ${width}`);
    }
  }
});

async function check(page: import("@playwright/test").Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"])
    .analyze();
  const found = violations.map(({ id, nodes }) => `${where}: ${id} ${nodes[0]?.html.slice(0, 160)}`);
  expect.soft(found).toEqual([]);
}
