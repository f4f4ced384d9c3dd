import { expect, test } from "@playwright/test";
import { modelOf, startTraining } from "../e2e/trained";

// Chromium draws what this camera sees, 20 images a second of 640 x 480, and nobody is asked.
test.use({
  permissions: ["camera"],
  launchOptions: {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
  },
});

const SAMPLES = 20;

/** MEASURE_MODEL names the address of a model that is there, with MEASURE_STATE, the login of who may see it. */
test.use({ storageState: process.env.MEASURE_STATE });

for (const task of ["classification", "detection"] as const)
  test(`images of a camera that a model answers in a second: ${task}`, async ({ page, baseURL }) => {
    const given = process.env[`MEASURE_MODEL_${task.toUpperCase()}`];
    const model = given ?? (await modelOf(page, await startTraining(baseURL ?? "", task)));
    const [, project, id] = /projects\/([^/]+)\/models\/([^/]+)/.exec(model) ?? [];
    await page.goto(`/projects/${project}/try?model=${id}&camera=true`);
    const rate = page.getByTestId("rate");
    await expect.poll(async () => Number(await rate.getAttribute("data-rate"))).toBeGreaterThan(0);
    await page.waitForTimeout(3000);
    const rates: number[] = [];
    const delays: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      await page.waitForTimeout(500);
      rates.push(Number(await rate.getAttribute("data-rate")));
      delays.push(Number(/(\d+) ms/.exec((await rate.textContent()) ?? "")?.[1]));
    }
    console.log(
      `webcam ${task}: ${middle(rates)} a second (${Math.min(...rates)} to ${Math.max(...rates)}),`,
    );
    console.log(
      `  ${middle(delays)} ms from the camera to the answer (${Math.min(...delays)} to ${Math.max(...delays)})`,
    );
  });

function middle(values: number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
}
