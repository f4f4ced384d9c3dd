import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, openSync, readFileSync } from "node:fs";
import { type BrowserContext, chromium, expect, type Page, test } from "@playwright/test";
import { createProject, register, upload } from "../e2e/studio";

// `tests/test_page_faults.py` gives an empty folder, a free port, and a large zip of images with its sha256.
const {
  FAULTS_FOLDER: folder = "",
  FAULTS_PORT: port = "",
  FAULTS_PYTHON: python = "",
  FAULTS_ZIP: zip = "",
} = process.env;
const IMAGES = 200;
let studio: ChildProcess;

const starts = () =>
  (existsSync(`${folder}/studio.log`) ? readFileSync(`${folder}/studio.log`, "utf8") : "").split("ready. API")
    .length;

async function start(): Promise<void> {
  const before = starts();
  const log = openSync(`${folder}/studio.log`, "a");
  const data = ["--data-dir", `${folder}/data`, "--port", port];
  studio = spawn(python, ["manage.py", "studio", ...data], { cwd: "..", stdio: ["ignore", log, log] });
  await expect.poll(starts, { timeout: 240_000 }).toBeGreaterThan(before);
}

/** The launcher and all of its processes, which have groups of their own. */
async function kill(): Promise<void> {
  const parents = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const family = [studio.pid];
  for (const parent of family)
    for (const [pid, above] of parents) if (above === parent && !family.includes(pid)) family.push(pid);
  const gone = new Promise((resolve) => studio.once("exit", resolve));
  for (const pid of family) if (pid) process.kill(pid, "SIGKILL");
  await gone;
}

/** As when the browser dies: no handler of the page runs. */
async function crash(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  session.send("Page.crash").catch(() => undefined);
  await crashed;
  await page.close();
}

let context: BrowserContext;

test.beforeAll(start);
test.afterAll(kill);
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
  await kill();
  await label(3); // of those that were loaded ahead
  await start();
  await saved();
  await label(50);
  await crash(page);
  page = await context.newPage();
  await open();
  await saved();
  await label(30);
  await context.setOffline(true);
  await label(3);
  await context.setOffline(false);
  await saved();
  await page.reload();
  await label(IMAGES);
  await saved();
  expect(given.size).toBe(IMAGES);
  await everyLabelIsThereOnce(given);
});

async function everyLabelIsThereOnce(given: ReadonlyMap<string, string>): Promise<void> {
  for (const [image, label] of given) {
    const annotations = await context.request.get(`/api/v1/images/${image}/annotations/`);
    const { annotations: found } = (await annotations.json()) as {
      annotations: { label: { name: string } | string }[];
    };
    expect(found.map((one) => (typeof one.label === "string" ? one.label : one.label.name))).toEqual([label]);
    const history = await context.request.get(`/api/v1/images/${image}/history/`);
    const { results } = (await history.json()) as { results: unknown[] };
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
        .getAttribute("aria-valuenow")
        .catch(() => "0")) ?? 0,
    );
  const reaches = (percent: number) => expect.poll(share, { timeout: 300_000 }).toBeGreaterThan(percent);
  await reaches(15);
  await kill();
  await start();
  await reaches(35);
  const before = await share();
  await crash(page);
  page = await context.newPage();
  await page.goto(`/projects/${project}/import`);
  await reaches(before - 5); // it goes on, and does not begin again
  await reaches(60);
  await context.setOffline(true);
  await page.waitForTimeout(3000);
  await context.setOffline(false);
  await expect(panel()).toContainText("1 file is here", { timeout: 600_000 });
  const jobs = await context.request.get(`/api/v1/jobs/?project=${project}`);
  const { results } = (await jobs.json()) as { results: { kind: string; id: string }[] };
  expect(results.filter(({ kind }) => kind === "import")).toHaveLength(1);
  const sent = createHash("sha256");
  for await (const chunk of createReadStream(zip)) sent.update(chunk as Buffer);
  const digest = sent.digest("hex");
  const place = `${folder}/data/blobs/${digest.slice(0, 2)}/${digest}`;
  expect(existsSync(place), "the archive as it was sent").toBe(true);
});
