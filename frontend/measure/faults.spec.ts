import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { type BrowserContext, chromium, expect, type Page, test } from "@playwright/test";
import { createProject, register, upload } from "../e2e/studio";
import { MortalStudio } from "./studio";

// `tests/test_page_faults.py` gives an empty folder, a free port, and a large zip of images with its sha256.
const {
  FAULTS_FOLDER: folder = "",
  FAULTS_PORT: port = "",
  FAULTS_PYTHON: python = "",
  FAULTS_ZIP: zip = "",
} = process.env;
const IMAGES = 200;
const studio = new MortalStudio(folder, port, python);

/** As when the browser dies: no handler of the page runs. */
async function crash(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent("crash", { timeout: 10_000 }).catch(() => undefined);
  session.send("Page.crash").catch(() => undefined);
  await crashed;
  void page.close().catch(() => undefined);
}

/** As when a cable is pulled out, until what this answers is called. */
async function cut(page: Page): Promise<() => Promise<unknown>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const line = (offline: boolean) =>
    session.send("Network.emulateNetworkConditions", {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    });
  await line(true);
  return () => line(false);
}

let context: BrowserContext;

test.beforeAll(() => studio.start());
test.afterAll(() => studio.kill());
// A profile on the disk, as people have it: what a private window keeps goes with its memory.
test.beforeEach(async ({ baseURL, viewport, launchOptions }, { testId }) => {
  const own = { baseURL, viewport, ...launchOptions };
  context = await chromium.launchPersistentContext(`${folder}/profile-${testId}`, own);
});
test.afterEach(() => context.close());

test("nothing of 200 labels is lost or made twice by a dead server, a dead tab and a cut line", async ({
  context,
}) => {
  let page = await context.newPage();
  await register(page);
  const project = await createProject(page, "Faults", "What is on the image?", "good, bad");
  await upload(page, IMAGES);
  const given = new Map<string, string>();
  const open = async () => {
    await page.goto(`/projects/${project}/label`);
    await expect(page.getByTestId("labeling-image").locator("img").first()).toHaveJSProperty(
      "complete",
      true,
    );
  };
  const label = async (count: number) => {
    const shown = page.getByTestId("labeling-image");
    for (let n = 0; n < count && given.size < IMAGES; n += 1) {
      const image = (await shown.getAttribute("data-image")) ?? "";
      expect(given.has(image), `${image} is shown again`).toBe(false);
      const isBad = given.size % 3 === 0;
      await page.keyboard.press(isBad ? "2" : "1");
      given.set(image, isBad ? "bad" : "good");
      if (given.size < IMAGES)
        await expect(shown).not.toHaveAttribute("data-image", image, { timeout: 60_000 });
    }
  };
  const saved = () => expect(page.getByTestId("saved-state")).toContainText("Saved", { timeout: 180_000 });
  await open();
  await label(60);
  await studio.kill();
  await label(3); // of those that were loaded ahead
  await studio.start();
  await saved();
  await label(50);
  await page.waitForTimeout(500); // until the last one is in IndexedDB: a moment, but not none
  await crash(page);
  page = await context.newPage();
  await open();
  await saved();
  await label(30);
  const reconnect = await cut(page);
  await label(3);
  await reconnect();
  await saved();
  await page.reload();
  await label(IMAGES);
  await saved();
  expect(given.size).toBe(IMAGES);
  await everyLabelIsThereOnce(page, given);
});

/** As the page itself reads it. */
function read<Answer>(page: Page, address: string): Promise<Answer> {
  return page.evaluate(async (path) => {
    const response = await fetch(path);
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }, address);
}

interface Labelled {
  annotations: { label: string | { name: string } }[];
}

async function everyLabelIsThereOnce(page: Page, given: ReadonlyMap<string, string>): Promise<void> {
  for (const [image, label] of given) {
    const { annotations } = await read<Labelled>(page, `/api/v1/images/${image}/annotations/`);
    const names = annotations.map((one) => (typeof one.label === "string" ? one.label : one.label.name));
    expect(names).toEqual([label]);
    const { results } = await read<{ results: unknown[] }>(page, `/api/v1/images/${image}/history/`);
    expect(results, `the history of ${image}`).toHaveLength(1);
  }
}

test("a large upload goes on after a dead server, a dead tab and a cut line", async () => {
  let page = await context.newPage();
  await register(page);
  const project = await createProject(page, "Large", "What is on the image?", "good, bad");
  await page.goto(`/projects/${project}/import`);
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Choose files" }).click(),
  ]);
  await chooser.setFiles(zip);
  const panel = () => page.getByRole("region", { name: "Uploads" });
  const share = async () =>
    Number(
      (await panel()
        .getByRole("progressbar")
        .getAttribute("aria-valuenow", { timeout: 2000 })
        .catch(() => "0")) ?? 0,
    );
  const reaches = (percent: number) => expect.poll(share, { timeout: 300_000 }).toBeGreaterThan(percent);
  await reaches(15);
  await studio.kill();
  await studio.start();
  await reaches(35);
  const before = await share();
  await crash(page);
  page = await context.newPage();
  await page.goto(`/projects/${project}/import`);
  await reaches(before - 5); // it goes on, and does not begin again
  await reaches(60);
  const reconnect = await cut(page);
  await page.waitForTimeout(3000);
  await reconnect();
  await expect(panel()).toContainText("1 file is here", { timeout: 600_000 });
  const { results } = await read<{ results: { kind: string }[] }>(page, `/api/v1/jobs/?project=${project}`);
  expect(results.filter(({ kind }) => kind === "import")).toHaveLength(1);
  const sent = createHash("sha256");
  for await (const chunk of createReadStream(zip)) sent.update(chunk as Buffer);
  const digest = sent.digest("hex");
  const place = `${folder}/data/blobs/${digest.slice(0, 2)}/${digest}`;
  expect(existsSync(place), "the archive as it was sent").toBe(true);
});
