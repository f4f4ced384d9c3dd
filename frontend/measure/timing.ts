import type { Page } from "@playwright/test";

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
  begins: readonly string[] = ["keydown", "pointerdown", "scroll", "drop"],
): Promise<number> {
  await page.evaluate(`window.measured = new Promise((resolve) => {
    let began = 0;
    const note = (event) => { began ||= event.timeStamp; };
    for (const kind of ${JSON.stringify(begins)}) addEventListener(kind, note, { capture: true, once: true });
    const look = () => {
      if (began && (${holds})) resolve(performance.now() - began);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }), 0`);
  await act();
  return (await page.evaluate("window.measured")) as number;
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

/** From each pointer event to the end of the frame that it is painted in, while `act` moves the pointer. */
export async function pointerToPaint(page: Page, act: () => Promise<unknown>): Promise<number[]> {
  await page.evaluate(`(() => {
    window.painted = [];
    const channel = new MessageChannel();
    const waiting = [];
    channel.port1.onmessage = () => { while (waiting.length) window.painted.push(performance.now() - waiting.shift()); };
    window.follow = (event) => {
      const began = performance.now();
      requestAnimationFrame(() => { waiting.push(began + 0 * event.timeStamp); channel.port2.postMessage(0); });
    };
    addEventListener("pointermove", window.follow, { capture: true });
  })()`);
  await act();
  await page.waitForTimeout(300);
  return (await page.evaluate(
    `(removeEventListener("pointermove", window.follow, { capture: true }), window.painted)`,
  )) as number[];
}
