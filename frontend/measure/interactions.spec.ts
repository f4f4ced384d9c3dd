import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect, type Locator, type Page, test } from "@playwright/test";
import { frames, pointerToPaint, timed, timedSteps } from "./timing";

interface Plan {
  name: string;
  password: string;
  million: string;
  /** Shares of the way through the million at which the images have files. */
  places: number[];
  labels: string;
  boxes: string;
  crowded: { image: string; boxes: number }[];
  review: string;
  drop: string;
}

const plan = JSON.parse(readFileSync(process.env.MEASURE_PLAN ?? "", "utf8")) as Plan;
const REPEATS = 5;
const MOVES = 60;
/** What was measured, in milliseconds or as its name says. */
const found: Record<string, number[]> = {};
const note = (what: string, ...values: number[]) => {
  found[what] = [...(found[what] ?? []), ...values];
};
const TILES = `[...document.querySelectorAll('[data-testid="gallery"] [role="listitem"]')]`;
const ARE_HERE = `${TILES}.length > 5 && ${TILES}.every((tile) => tile.querySelector("a"))`;
/** All that is in view has its image, down to the pixels. */
const ARE_DRAWN = `${ARE_HERE} && ${TILES}.every((tile) => {
  const { top, bottom } = tile.getBoundingClientRect();
  const image = tile.querySelector("img");
  return bottom < 0 || top > innerHeight || (image.complete && image.naturalWidth > 0);
})`;

let page: Page;

test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
  await page.goto("/login");
  await page.getByLabel("User name").fill(plan.name);
  await page.getByRole("textbox", { name: "Password" }).fill(plan.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("button", { name: "New project" })).toBeVisible();
});

// After a failure the rest goes on in another process.
test.afterAll(() => {
  const result = process.env.MEASURE_RESULT ?? "";
  const before = existsSync(result) ? JSON.parse(readFileSync(result, "utf8")) : {};
  writeFileSync(result, JSON.stringify({ ...before, ...found }));
});

test("a gallery of a million", async () => {
  await page.goto(`/projects/${plan.million}/images`);
  await page.waitForFunction(ARE_HERE);
  for (const share of plan.places) {
    const jump = () =>
      page.evaluate(`(() => { const list = document.querySelector('[data-testid="gallery"]');
        list.scrollTop = ${share} * list.scrollHeight; })()`);
    const first = await page.getByTestId("gallery").getAttribute("data-first");
    const hasMoved = `document.querySelector('[data-testid="gallery"]').dataset.first !== "${first}"`;
    const until = [
      ["placeholders", `${hasMoved} && ${TILES}.length > 5`],
      ["names and labels", `${hasMoved} && ${ARE_HERE}`],
      ["thumbnails", `${hasMoved} && ${ARE_DRAWN}`],
    ] as const;
    const times = await timedSteps(
      page,
      jump,
      until.map(([, holds]) => holds),
    );
    for (const [step, [what]] of until.entries())
      note(`jump to any place, until ${what}`, times[step] as number);
    await page.waitForTimeout(500);
  }
  note("nodes of the page", (await page.evaluate("document.querySelectorAll('*').length")) as number);
  const scroll = `document.querySelector('[data-testid="gallery"]').scrollTop += 40`;
  note("frame while scrolling", ...(await frames(page, scroll, 240)));
  const isLast = `Number(document.querySelector('[data-testid="gallery"]').dataset.first) + ${TILES}.length >=
    Number(document.querySelector('[data-testid="gallery"]').dataset.total) && ${ARE_HERE}`;
  note("the last image by End", await timed(page, () => page.keyboard.press("End"), isLast));
  for (let turn = 0; turn < REPEATS; turn += 1) {
    const label = `label-${turn + 1}`;
    await page.goto(`/projects/${plan.million}/images`);
    await page.waitForFunction(ARE_HERE);
    const total = await page.getByTestId("gallery").getAttribute("data-total");
    const isNarrowed = `document.querySelector('[data-testid="gallery"]')?.dataset.total !== "${total}" && ${ARE_HERE}`;
    note(
      "click on a facet",
      await timed(page, () => page.locator(`[data-facet="${label}"]`).click(), isNarrowed),
    );
  }
});

test("labels by keyboard", async () => {
  await page.goto(`/projects/${plan.labels}/label`);
  const shown = page.getByTestId("labeling-image");
  await expect(shown.locator("img").first()).toHaveJSProperty("complete", true);
  await page.waitForTimeout(2000);
  const began = Date.now();
  for (let turn = 0; turn < 100; turn += 1) {
    const before = await shown.getAttribute("data-image");
    const isNext = `(() => { const shown = document.querySelector('[data-testid="labeling-image"]');
      return shown && shown.dataset.image !== "${before}" && shown.querySelector("img").complete; })()`;
    note(
      "key to the next image",
      await timed(page, () => page.keyboard.press(String(1 + (turn % 3))), isNext),
    );
  }
  note("100 labels by a program, seconds", (Date.now() - began) / 1000);
  await expect(page.getByTestId("saved-state")).toContainText("Saved");
  for (let turn = 0; turn < REPEATS; turn += 1) {
    await page.reload();
    const left = page.getByText(/\d+ of \d+ labelled/).first();
    const before = await left.textContent();
    const isBack = `![...document.querySelectorAll("*")].some((one) => one.childElementCount === 0 &&
      one.textContent === ${JSON.stringify(before)})`;
    note(
      "undo after a reload, until the page says so",
      await timed(page, () => page.keyboard.press("Control+z"), isBack),
    );
  }
});

test("boxes", async ({ browser }) => {
  for (const { image, boxes } of plan.crowded) {
    const area = await annotate(image);
    const { x, y, width, height } = (await area.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const draw = async () => {
      await page.mouse.move(x + 0.1 * width, y + 0.1 * height);
      await page.mouse.down();
      for (let step = 0; step < MOVES; step += 1) {
        // At any time of a frame, as a hand moves: a move that is answered with a frame would always wait for a whole one.
        await page.waitForTimeout((7 * step) % 17);
        await page.mouse.move(x + (0.1 + 0.01 * step) * width, y + (0.1 + 0.01 * step) * height);
      }
      await page.mouse.up();
    };
    const times = await pointerToPaint(browser, page, draw);
    await saved(image, boxes + 1);
    expect(times.length, "moves that were seen").toBeGreaterThan(MOVES / 2);
    note(`pointer to paint with ${boxes} boxes`, ...times);
    await page.keyboard.press("Control+z");
    await saved(image, boxes);
  }
  const [{ image: empty }] = plan.crowded as [{ image: string; boxes: number }];
  const area = await annotate(empty);
  const { x, y, width, height } = (await area.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const began = Date.now();
  for (let box = 0; box < 20; box += 1) {
    const left = x + (0.2 + 0.03 * box) * width;
    if (box > 0) await page.keyboard.press("Escape"); // its handles lie where the next one begins
    await page.mouse.click(left, y + 0.35 * height);
    await page.mouse.click(left + 0.025 * width, y + 0.55 * height);
    await page.keyboard.press(String(1 + (box % 2)));
  }
  await saved(empty, 20);
  note("20 boxes by a program until saved, seconds", (Date.now() - began) / 1000);
});

/** Opens an image to draw on. */
async function annotate(image: string): Promise<Locator> {
  await page.goto(`/projects/${plan.boxes}/images/${image}`);
  const area = page.getByTestId("annotator-area");
  await expect(area.locator("img").first()).toHaveJSProperty("complete", true);
  await page.waitForTimeout(1000);
  return area;
}

/** Waits until the studio itself has so many boxes of an image. */
async function saved(image: string, boxes: number): Promise<void> {
  const count = async () => {
    const answer = await page.request.get(`/api/v1/images/${image}/annotations/`);
    return ((await answer.json()) as { annotations: unknown[] }).annotations.length;
  };
  await expect.poll(count, { intervals: [50] }).toBe(boxes);
}

test("suggestions", async () => {
  await page.goto(`/projects/${plan.review}/review`);
  const shown = page.getByTestId("review-image");
  await expect(shown).toBeVisible();
  await page.waitForTimeout(1500);
  const began = Date.now();
  for (let turn = 0; turn < 99; turn += 1) {
    const before = await shown.getAttribute("data-image");
    const isNext = `(() => { const shown = document.querySelector('[data-testid="review-image"]');
      return shown && shown.dataset.image !== "${before}"; })()`;
    const key = turn % 5 === 4 ? "x" : "Enter";
    note("suggestion to the next", await timed(page, () => page.keyboard.press(key), isNext));
  }
  note("99 suggestions by a program, seconds", (Date.now() - began) / 1000);
});

test("a thousand files dropped", async () => {
  await page.goto(`/projects/${plan.drop}/images`);
  await page.waitForTimeout(1000);
  await page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    canvas.width = 640;
    canvas.height = 480;
    const context = canvas.getContext("2d");
    const transfer = new DataTransfer();
    for (let n = 0; n < 1000 && context; n += 1) {
      context.fillStyle = `hsl(${(n * 47) % 360} 40% 70%)`;
      context.fillRect(0, 0, 640, 480);
      context.fillStyle = "black";
      context.fillText(String(n), 20 + ((n * 37) % 500), 30 + ((n * 53) % 400));
      for (let line = 0; line < 60; line += 1) {
        context.strokeStyle = `hsl(${(n * 13 + line * 29) % 360} 70% 40%)`;
        context.strokeRect((n * line * 7) % 600, (n * 11 + line * 23) % 440, 40, 30);
      }
      const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.9));
      if (blob) transfer.items.add(new File([blob], `photo-${n}.jpg`, { type: "image/jpeg" }));
    }
    (globalThis as unknown as { dropped: DataTransfer }).dropped = transfer;
  });
  const drop = () =>
    page.evaluate(
      `document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: window.dropped, bubbles: true, cancelable: true }))`,
    );
  const hasRow = `document.querySelector('[role="region"][aria-label="Uploads"]') !== null`;
  note("1,000 files dropped, until they are listed", await timed(page, drop, hasRow));
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const began = Date.now();
  const panel = page.getByRole("region", { name: "Uploads" });
  for (;;) {
    const { metrics } = await session.send("Performance.getMetrics");
    note(
      "memory of scripts while 1,000 files go, MiB",
      (metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? 0) / 2 ** 20,
    );
    if ((await panel.textContent())?.includes("1,000 files are here")) break;
    if (Date.now() - began > 300_000) throw new Error(`not here: ${await panel.textContent()}`);
    await page.waitForTimeout(500);
  }
  note("1,000 files until they are here, seconds", (Date.now() - began) / 1000);
  for (let turn = 0; turn < REPEATS; turn += 1) {
    await page.goto("/");
    const isDrawn = `${ARE_HERE} && [...document.querySelectorAll('[data-testid="gallery"] img')].every((one) => one.complete)`;
    const began = Date.now();
    await page.goto(`/projects/${plan.drop}/images`);
    await page.waitForFunction(isDrawn);
    note("gallery opened until its thumbnails are there", Date.now() - began);
  }
});
