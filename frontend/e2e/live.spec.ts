import { expect, test } from "@playwright/test";
import { expectAccessible, watch } from "./studio";
import { modelOf, startTraining } from "./trained";

test("guesses are corrected, confirmed and undone by keyboard, and images labelled on the map", async ({
  page,
  baseURL,
}) => {
  test.setTimeout(480_000);
  const problems = watch(page);
  const [project = ""] = (await modelOf(page, await startTraining(baseURL ?? ""))).split("/models/");
  const id = project.split("/").at(-1);
  const read = async (address: string) => (await page.request.get(`/api/v1/${address}`)).json();
  const guesses = async () => (await read(`projects/${id}/live-model/`)).guesses;
  const open = async () => (await read(`images/facets/?project=${id}`)).annotated.no;
  // Some of the sample images have no label. The trained model compares them.
  const all = await open();
  await expect.poll(guesses, { timeout: 120_000 }).toBe(all);

  await page.goto(project);
  await page.getByRole("link", { name: "Review", exact: true }).click();
  await page.getByRole("link", { name: "Live guesses" }).click();
  const tiles = page.getByTestId("guesses").getByRole("listitem");
  await expect(tiles).toHaveCount(all);
  await expectAccessible(page, "live-guesses");
  // Those of 90 % and more are chosen.
  const { count: sure } = await read(`projects/${id}/live-model/guesses/?min_confidence=0.9`);
  await expect(page.getByRole("button", { name: `Confirm ${sure}` })).toBeVisible();
  if (sure < all) await page.getByRole("button", { name: "Choose all" }).click();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Space");
  await expect(page.getByRole("button", { name: `Confirm ${all - 1}` })).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("2");
  await expect(tiles).toHaveCount(all - 1);
  await expect.poll(open).toBe(all - 1);
  await page.keyboard.press("Enter");
  await expect(page.getByText(`${all - 2} images labelled.`)).toBeVisible();
  await expect(tiles).toHaveCount(1);
  await expect(page.getByRole("button", { name: "Confirm 0" })).toBeDisabled();
  expect(await open()).toBe(1);
  await page.keyboard.press("Control+z");
  await expect.poll(open).toBe(all - 1);
  // The model learns again, and has its guesses of them.
  await expect(tiles).toHaveCount(all - 1);

  // The same features lay out the map.
  await page.getByRole("link", { name: "Map", exact: true }).click();
  await page.getByRole("button", { name: "Make the map" }).click();
  const map = page.getByTestId("map");
  await expect(map).toBeVisible({ timeout: 120_000 });
  await expectAccessible(page, "map");
  const { x = 0, y = 0, width = 0, height = 0 } = (await map.boundingBox()) ?? {};
  const corners = [
    [4, 4],
    [width - 4, 4],
    [width - 4, height - 4],
    [4, height - 4],
  ] as const;
  await page.mouse.move(x + 4, y + 4);
  await page.mouse.down();
  for (const [right, down] of corners) await page.mouse.move(x + right, y + down, { steps: 6 });
  await page.mouse.up();
  await expect(page.getByRole("region", { name: "Chosen images" })).toBeVisible();
  await page.keyboard.press("1");
  await expect.poll(open).toBe(0);
  await page.keyboard.press("Control+z");
  await expect.poll(open).toBe(all - 1);
  expect(problems).toEqual([]);
});
