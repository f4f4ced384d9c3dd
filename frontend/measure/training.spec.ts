import { writeFileSync } from "node:fs";
import { expect, type Locator, type Page, test } from "@playwright/test";
import { register } from "../e2e/studio";

// `python -m benchmarks first_model` says where the studio is, and where to write.
const { MEASURE_RESULT: result = "" } = process.env;
const found: Record<string, number[]> = {};
const note = (what: string, value: number) => {
  found[what] = [...(found[what] ?? []), value];
};
const EPOCHS = 200;

test.describe.configure({ mode: "serial" });
let page: Page;
let project = "";

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
});
test.afterAll(() => writeFileSync(result, JSON.stringify(found)));

test("the first minutes: registered, sample images, trained, an image dragged in", async () => {
  let clicks = 1;
  const click = async (place: Locator) => {
    clicks += 1;
    await place.click();
  };
  const began = Date.now();
  const since = () => (Date.now() - began) / 1000;
  await register(page);
  await click(page.getByRole("button", { name: "Try with sample images" }));
  await click(page.getByRole("menuitem", { name: "Name what is on an image" }));
  const train = page.getByRole("main").getByRole("link", { name: "Train a model" });
  await train.waitFor({ timeout: 300_000 });
  note("sample images are there, seconds", since());
  await click(train);
  await click(page.getByRole("button", { name: "Train", exact: true }));
  await click(page.getByRole("link", { name: "Try the model" }));
  note("a model is trained, seconds", since());
  await expect(page.getByText("Drag an image onto this page")).toBeVisible();
  project = page.url().split("/projects/")[1]?.split("/")[0] ?? "";
  await dropSample();
  const dropped = Date.now();
  await expect(page.getByText(/^It (says|is not sure)/)).toBeVisible();
  note("first answer after the drop, ms", Date.now() - dropped);
  note("from registration to an answer, seconds", since());
  note("clicks from registration to an answer", clicks);
});

test("200 epochs with reloads, and left and found again: no point is lost", async () => {
  await page.goto(`/projects/${project}/trainings/new`);
  await page.getByText("Expert settings").click();
  await page.getByLabel("Epochs", { exact: true }).fill(String(EPOCHS));
  await page.getByLabel("Early stopping").fill("0");
  await page.getByLabel("Image size").fill("32");
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page.waitForURL(/trainings\/[0-9a-f-]{36}$/);
  const training = page.url().split("/").at(-1) ?? "";
  const left: [number, number][] = [];
  let reloads = 0;
  for (;;) {
    const run = await read(training);
    if (run.state !== "queued" && run.state !== "running") break;
    const { phase, done = 0, total = 1, eta_seconds: seconds } = run.progress;
    const share = phase === "training" ? done / total : 0;
    if (share > 0.25 && share < 0.9 && typeof seconds === "number") left.push([Date.now(), seconds]);
    if (share > 0.2 * (reloads + 1)) {
      reloads += 1;
      if (reloads % 2) await page.reload();
      else {
        await page.getByRole("link", { name: "Images", exact: true }).click();
        await page.goBack();
      }
    }
    await page.waitForTimeout(1000);
  }
  const run = await read(training);
  expect(run.state).toBe("succeeded");
  const ended = Date.parse(run.finished_at);
  for (const [at, seconds] of left) {
    const truth = (ended - at) / 1000;
    if (truth > 5) note("time left, off by %", Math.round((100 * Math.abs(seconds - truth)) / truth));
  }
  await expect(page.getByRole("link", { name: "Try the model" })).toBeVisible();
  // Heard live on this page, without reading the history again at the end.
  const points = await page.evaluate(() => {
    const curves = [...document.querySelectorAll("figure path")];
    return curves.map((curve) => (curve.getAttribute("d") ?? "").split("L").length);
  });
  note("epochs", run.history.length);
  note("reloads", reloads);
  for (const count of points) note("points lost of a curve", run.history.length - count);
  await page.getByText("Numbers of every epoch").click();
  const rows = page
    .getByRole("row")
    .filter({ has: page.getByRole("cell", { name: "Learning from the images" }) });
  note("rows lost of the table", run.history.length - (await rows.count()));
  expect(points).toEqual(points.map(() => run.history.length));
});

interface Run {
  state: string;
  finished_at: string;
  history: unknown[];
  progress: { phase?: string; done?: number; total?: number; eta_seconds?: number | null };
}

async function read(training: string): Promise<Run> {
  return (await (await page.request.get(`/api/v1/trainings/${training}/`)).json()) as Run;
}

/** One of the project's own images, as a file that is dropped onto the page. */
async function dropSample(): Promise<void> {
  await page.evaluate(async (id) => {
    const { results } = await (await fetch(`/api/v1/images/?project=${id}&page_size=1`)).json();
    const blob = await (await fetch(`/api/v1/images/${results[0].id}/rendition/?max=1024`)).blob();
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([blob], "mine.jpg", { type: blob.type }));
    for (const kind of ["dragenter", "dragover", "drop"])
      document.body.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
  }, project);
}
