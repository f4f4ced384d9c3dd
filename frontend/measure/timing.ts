import type { Browser, Page } from "@playwright/test";

/**
 * Milliseconds in the page's own clock from the first input of an action to the first frame in which something holds.
 *
 * @param act what a person does.
 * @param holds an expression of the page, such as `document.querySelector("a") !== null`.
 * @param begins the events that count as input.
 */
export async function timed(
  page: Page,
  act: () => Promise<unknown>,
  holds: string,
  begins?: readonly string[],
): Promise<number> {
  const [milliseconds] = await timedSteps(page, act, [holds], begins);
  return milliseconds as number;
}

/** As `timed`, for several things that come to hold one after the other. */
export async function timedSteps(
  page: Page,
  act: () => Promise<unknown>,
  holds: readonly string[],
  begins: readonly string[] = ["keydown", "pointerdown", "scroll", "drop"],
): Promise<number[]> {
  await page.evaluate(`window.measured = new Promise((resolve) => {
    let began = 0;
    const times = [];
    const steps = [${holds.map((expression) => `() => ${expression}`).join(",")}];
    const note = (event) => { began ||= event.timeStamp; };
    for (const kind of ${JSON.stringify(begins)}) addEventListener(kind, note, { capture: true, once: true });
    const look = () => {
      while (began && steps.length > 0 && steps[0]()) {
        times.push(performance.now() - began);
        steps.shift();
      }
      if (steps.length === 0) resolve(times);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }), 0`);
  await act();
  return (await page.evaluate("window.measured")) as number[];
}

/** Milliseconds between the frames of the page while `step` runs before each of them, in the page. */
export async function frames(page: Page, step: string, count: number): Promise<number[]> {
  return (await page.evaluate(`new Promise((resolve) => {
    const times = [];
    let before = performance.now();
    const next = (now) => {
      times.push(now - before);
      before = now;
      if (times.length > ${count}) resolve(times.slice(1));
      else { ${step}; requestAnimationFrame(next); }
    };
    requestAnimationFrame(next);
  })`)) as number[];
}

interface TraceEvent {
  name: string;
  ph: string;
  ts: number;
  pid: number;
  id2?: { local?: string };
  args: { event_latency?: { event_type?: string } };
}

/**
 * Milliseconds from each move of a pressed pointer, as the browser got it, until the frame with what it changed is on the screen,
 * while `act` moves it. It is the browser's own account: waiting for the display's clock, scripts, layout, painting and
 * compositing are in it.
 */
export async function pointerToPaint(
  browser: Browser,
  page: Page,
  act: () => Promise<unknown>,
): Promise<number[]> {
  await browser.startTracing(page, { categories: ["benchmark", "cc", "input"] });
  await act();
  await page.waitForTimeout(300);
  const trace = await browser.stopTracing();
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  return latencies(traceEvents.sort((one, other) => one.ts - other.ts));
}

/** A move changes the page before it has been handled, so the first frame that is handed over afterwards shows it. */
function latencies(events: readonly TraceEvent[]): number[] {
  const begun = new Map<string, TraceEvent>();
  const handedOver = new Map<string, number>();
  const frames: { handedOver: number; shown: number }[] = [];
  const moves: { began: number; handled: number }[] = [];
  for (const event of events) {
    const { name, ph, ts, args } = event;
    const id = `${event.pid} ${event.id2?.local}`;
    if (name === "PipelineReporter" && ph === "b") handedOver.delete(id);
    if (name === "Commit" && ph === "b" && event.id2) handedOver.set(id, ts);
    const frame = handedOver.get(id);
    if (name === "PipelineReporter" && ph === "e" && frame) frames.push({ handedOver: frame, shown: ts });
    if (name !== "EventLatency") continue;
    if (ph === "b" && args.event_latency?.event_type === "MOUSE_DRAGGED") begun.set(id, event);
    const move = begun.get(id);
    if (ph === "e" && move) moves.push({ began: move.ts, handled: ts });
    if (ph === "e") begun.delete(id);
  }
  return moves.flatMap(({ began, handled }) => {
    const frame = frames.find((one) => one.handedOver >= handled);
    return frame ? [(frame.shown - began) / 1000] : [];
  });
}
