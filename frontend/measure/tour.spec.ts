import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { register, watch } from "../e2e/studio";
import { MortalStudio } from "./studio";

// `python frontend/pictures.py FOLDER --tour`: the whole circle in the browser, with a screenshot of each step.
const { PICTURES_FOLDER: folder = "", PICTURES_PORT: port = "", PICTURES_PYTHON: python = "" } = process.env;
const studio = new MortalStudio(folder, port, python);
const pictures = `${folder}/tour`;
let agent: ChildProcess | null = null;

test.beforeAll(() => studio.start());
test.afterAll(async () => {
  agent?.kill("SIGTERM");
  await studio.kill();
});

test("from sample images to a device whose images come back", async ({ page }) => {
  mkdirSync(pictures, { recursive: true });
  await page.setViewportSize({ width: 1280, height: 800 });
  const problems = watch(page);
  await register(page);
  await page.getByRole("button", { name: "Try with sample images" }).click();
  await page.getByRole("menuitem", { name: "Name what is on an image" }).click();
  await expect(page.getByRole("main").getByRole("link", { name: "Train a model" }).first()).toBeVisible();
  const project = new URL(page.url()).pathname.split("/")[2] ?? "";
  await shoot(page, "1-overview");
  await page.getByRole("link", { name: "Images", exact: true }).click();
  await expect(page.getByRole("list", { name: "Images" }).getByRole("link").first()).toBeVisible();
  await shoot(page, "2-images");
  await train(page, project);
  await shoot(page, "4-trained");

  await page.goto(`/projects/${project}/models`);
  await page.getByRole("main").getByRole("link", { name: / v1/ }).first().click();
  await page.getByRole("link", { name: "How good it is" }).click();
  await expect(page.getByTestId("headline")).toBeVisible();
  await page.getByRole("button", { name: "Confusion" }).click();
  await shoot(page, "5-quality");

  await page.goto(`/projects/${project}/review/suspects`);
  await page.getByRole("button", { name: "Look for doubtful labels" }).click();
  await expect(
    page.getByRole("heading", { name: /^(Doubtful labels|No doubtful label is left)$/ }),
  ).toBeVisible({
    timeout: 240_000,
  });
  await shoot(page, "6-doubtful");
  // The studio has drawn them: no label is wrong.
  const keep = page.getByRole("button", { name: "Keep it" });
  while (await keep.isVisible()) {
    await keep.click();
    await page.waitForTimeout(500);
  }

  await train(page, project);
  await page.goto(`/projects/${project}/models`);
  await page.getByRole("link", { name: "Compare" }).click();
  // Where both were trained on one snapshot they are measured already.
  const measure = page.getByRole("button", { name: "Measure them" });
  await expect(measure.or(page.getByRole("heading", { name: "Where they differ" }))).toBeVisible();
  if (await measure.isVisible()) await measure.click();
  await expect(page.getByText("Not measured on the same images yet")).toBeHidden({ timeout: 240_000 });
  await shoot(page, "7-compare");

  await page.goto(`/projects/${project}/models`);
  await page.getByRole("main").getByRole("link", { name: / v2/ }).first().click();
  await page.getByRole("link", { name: "Stage and files" }).click();
  await page.getByRole("button", { name: "Make LiteRT, int8 weights", exact: true }).click();
  const row = page.getByRole("row", { name: /LiteRT, int8 weights litert/ });
  await expect(row.getByRole("link", { name: "Download" })).toBeVisible({ timeout: 240_000 });
  await shoot(page, "8-files");

  await enrol(page, project);
  await page.getByRole("button", { name: "Roll out a model" }).click();
  await expect(page.getByRole("dialog").getByRole("combobox", { name: "Model" })).toHaveValue(/ v2$/);
  await page.getByRole("button", { name: "Start the roll-out" }).click();
  await expect(page.getByText("rolling out")).toBeVisible();
  const seen = `${folder}/seen`;
  mkdirSync(seen);
  agent = spawn(python, [...AGENT, "watch", "--feedback", "--input", seen], {
    ...BESIDE,
    stdio: "ignore",
  });
  await expect(page.getByText(/1 has reported/)).toBeVisible({ timeout: 240_000 });
  await shoot(page, "10-rolled-out");
  await photograph(page, project, seen);

  const waiting = async () =>
    (await (await page.request.get(`/api/v1/images/?project=${project}&from_devices=true`)).json()).results
      .length;
  await expect.poll(waiting, { timeout: 120_000 }).toBeGreaterThan(3);
  await page.goto(`/projects/${project}/review/devices`);
  await expect(page.getByRole("button", { name: "Accept", exact: true })).toBeVisible();
  await shoot(page, "11-sent-back");
  expect(problems).toEqual([]);
});

/** The agent of this tree, with the library of this tree. */
const BESIDE = { cwd: "../agent", env: { ...process.env, PYTHONPATH: ".." } };
const AGENT = ["-m", "mlstudio_agent", "--folder", `${folder}/device`];

async function train(page: Page, project: string): Promise<void> {
  await page.goto(`/projects/${project}/trainings/new`);
  await page.getByRole("radio", { name: "Quick" }).click();
  await expect(page.getByText(/It learns from/)).toBeVisible();
  await shoot(page, "3-train");
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page.waitForURL(/trainings\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("link", { name: "Try the model" })).toBeVisible({ timeout: 900_000 });
}

/** A group that sends back whatever it is not wholly sure of, and a device in it. */
async function enrol(page: Page, project: string): Promise<void> {
  await page.goto(`/projects/${project}/devices`);
  await page.getByLabel("New group").fill("gate");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("button", { name: "More about gate" }).click();
  await page.getByRole("menuitem", { name: "Settings of the group" }).click();
  await page.getByLabel("Seconds between two questions to the studio").fill("5");
  await page.getByLabel("Send images back when the model is less sure than").fill("100");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Add devices" }).click();
  await page.getByRole("button", { name: "Make a code" }).click();
  const lines = await page.getByLabel("Lines for the device").inputValue();
  await shoot(page, "9-enrol");
  await page.getByRole("button", { name: "Done" }).click();
  const code = /mse_\S+/.exec(lines)?.[0] ?? "";
  const known = ["enrol", "--url", `http://127.0.0.1:${port}`, "--code", code];
  execFileSync(python, [...AGENT, ...known], BESIDE);
  await page.reload();
}

/** What the device sees: images of the project, put before it once it watches. */
async function photograph(page: Page, project: string, seen: string): Promise<void> {
  const { results } = await (await page.request.get(`/api/v1/images/?project=${project}&page_size=8`)).json();
  const camera = `${folder}/camera`;
  mkdirSync(camera);
  for (const { id } of results as { id: string }[]) {
    const answer = await page.request.get(`/api/v1/images/${id}/file/`);
    // A byte more makes it another file: one that the project has already is not kept twice.
    writeFileSync(`${camera}/${id}.jpg`, Buffer.concat([await answer.body(), Buffer.from([0])]));
  }
  for (const name of readdirSync(camera)) copyFileSync(`${camera}/${name}`, `${seen}/${name}`);
}

async function shoot(page: Page, name: string): Promise<void> {
  const isSettled = `!document.querySelector(".mantine-Loader-root, .mantine-Skeleton-root") &&
    [...document.images].every((image) => image.complete)`;
  await page.waitForFunction(isSettled, undefined, { timeout: 8000 }).catch(() => undefined);
  await page.waitForTimeout(600);
  await page.screenshot({ path: `${pictures}/${name}.png`, animations: "disabled" });
}
