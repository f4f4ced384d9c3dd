import { expect, test } from "@playwright/test";
import { expectAccessible, watch } from "./studio";
import { modelOf, startTraining } from "./trained";

test("images get several labels by keys, and guesses of several are corrected, confirmed and undone", async ({
  page,
  baseURL,
}) => {
  test.setTimeout(480_000);
  const problems = watch(page);
  const started = await startTraining(baseURL ?? "", "multilabel");
  const [project = ""] = (await modelOf(page, started)).split("/models/");
  const id = project.split("/").at(-1);
  const read = async (address: string) => (await page.request.get(`/api/v1/${address}`)).json();
  const open = async () => (await read(`images/facets/?project=${id}`)).annotated.no;
  const labelsOf = async (image: string) => (await read(`images/${image}/`)).annotations.length;
  const guesses = async () => (await read(`projects/${id}/live-model/`)).guesses;
  const all = await open();

  // Two keys give two labels, and the image stays; N says of the next one that it has none.
  await page.goto(`${project}/label`);
  const stage = page.getByTestId("labeling-image");
  const first = (await stage.getAttribute("data-image")) ?? "";
  await page.keyboard.press("1");
  await page.keyboard.press("2");
  await expect.poll(() => labelsOf(first)).toBe(2);
  await expect(stage).toHaveAttribute("data-image", first);
  await page.keyboard.press("Control+z");
  await expect.poll(() => labelsOf(first)).toBe(1);
  await page.keyboard.press("Enter");
  await expect(stage).not.toHaveAttribute("data-image", first);
  await page.keyboard.press("n");
  await expect.poll(open).toBe(all - 2);

  // The trained model compares the others, and what the labelled ones taught is guessed of them.
  await expect.poll(guesses, { timeout: 120_000 }).toBe(all - 2);
  await page.getByRole("link", { name: "Review", exact: true }).click();
  await page.getByRole("link", { name: "Live guesses" }).click();
  const tiles = page.getByTestId("guesses").getByRole("listitem");
  await expect(tiles).toHaveCount(all - 2);
  await expectAccessible(page, "several-guesses");
  await page.keyboard.press("ArrowRight");
  const tile = tiles.first();
  const corrected = (await tile.getAttribute("data-image")) ?? "";
  const before = await tile.getByRole("checkbox").getAttribute("aria-label");
  await page.keyboard.press("1");
  await expect(tile.getByRole("checkbox")).not.toHaveAttribute("aria-label", before ?? "");
  await expect(tile.getByRole("checkbox")).toBeChecked();
  await page.getByRole("button", { name: "Choose all" }).click();
  await page.getByRole("button", { name: `Confirm ${all - 2}` }).click();
  await expect.poll(open).toBe(0);
  expect((await read(`images/${corrected}/`)).reviewed).toBe(true);
  await page.keyboard.press("Control+z");
  await expect.poll(open).toBe(all - 2);
  await expect(tiles).toHaveCount(all - 2);
  expect(problems).toEqual([]);
});
