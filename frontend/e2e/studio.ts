import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** What must never happen on any page: errors in scripts, reports of the content security policy, requests to other hosts. */
export function watch(page: Page): string[] {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 4(01|04|09)/.test(message.text()))
      problems.push(message.text());
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1") problems.push(`request to ${hostname}`);
  });
  return problems;
}

/** Of every account of the journeys. */
export const PASSWORD = "a-long-pass-phrase-7";

let count = 0;

export async function register(page: Page): Promise<string> {
  count += 1;
  const name = `user-${process.pid}-${Date.now()}-${count}`;
  await page.goto("/register");
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Mail address").fill(`${name}@example.org`);
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("button", { name: "New project" })).toBeVisible();
  return name;
}

/** `frontend/check.py` has made this account. */
export function logInAsStaff(page: Page): Promise<void> {
  return logIn(page, "operator");
}

export async function logIn(page: Page, name: string): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("User name").fill(name);
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("button", { name: "New project" })).toBeVisible();
}

export async function createProject(
  page: Page,
  name: string,
  question: string,
  labels: string,
): Promise<string> {
  await page.goto("/");
  await page.getByRole("button", { name: "New project" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByText(question).click();
  await page.getByRole("button", { name: "Create project" }).click();
  await expect(page.getByRole("heading", { name })).toBeVisible();
  const id = page.url().split("/").at(-1) ?? "";
  await page.getByRole("link", { name: "Labels", exact: true }).click();
  await page.getByLabel("New label").fill(labels);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  for (const label of labels.split(", "))
    await expect(page.getByRole("button", { name: label, exact: true })).toBeVisible();
  return id;
}

/** To the fast labelling of a project with a label "good"; its key works as soon as the label is there. */
export async function startLabelling(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Label", exact: true }).click();
  await expect(page.getByTestId("labeling-image")).toBeVisible();
  await expect(page.getByRole("button", { name: "good 1" })).toBeVisible();
}

/** Images that the page draws itself, each another one. */
export async function upload(page: Page, number: number): Promise<void> {
  await page.getByRole("link", { name: "Import", exact: true }).click();
  const files = await page.evaluate(async (wanted) => {
    const canvas = document.createElement("canvas");
    canvas.width = 320;
    canvas.height = 240;
    const context = canvas.getContext("2d");
    const found: string[] = [];
    for (let n = 0; n < wanted && context; n += 1) {
      context.fillStyle = `hsl(${(n * 47) % 360} 40% 70%)`;
      context.fillRect(0, 0, 320, 240);
      context.fillStyle = `hsl(${(n * 91) % 360} 60% 35%)`;
      context.beginPath();
      context.arc(40 + ((n * 37) % 240), 40 + ((n * 53) % 160), 14 + (n % 5) * 6, 0, 7);
      context.fill();
      found.push(canvas.toDataURL("image/jpeg", 0.9).split(",")[1] ?? "");
    }
    return found;
  }, number);
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Choose files" }).click(),
  ]);
  await chooser.setFiles(
    files.map((content, n) => ({
      name: `image-${n}.jpg`,
      mimeType: "image/jpeg",
      buffer: Buffer.from(content, "base64"),
    })),
  );
  await expect(page.getByRole("region", { name: "Uploads" })).toContainText(`${number} files are here`);
}

/** Drags files or folders of this machine onto the page, as a hand does: an event that a script makes passes by the browser's rules. */
export async function dragIn(page: Page, ...paths: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await session.send("Input.dispatchDragEvent", { type, x: 700, y: 500, data });
  await session.detach();
}

/**
 * Until colours and positions have stopped changing: what is half faded in has no contrast. Two frames pass first, since a
 * new colour scheme begins to show in the next one. An animation that is paused never ends, so this gives up after a while.
 */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const gaveUp = new Promise((resolve) => setTimeout(resolve, 3000));
    const ended = async () => {
      for (;;) {
        await frame();
        await frame();
        const running = document
          .getAnimations()
          .filter((one) => one.effect?.getTiming().iterations !== Number.POSITIVE_INFINITY)
          .filter((one) => one.playState === "running" || one.pending);
        if (running.length === 0) return;
        await Promise.allSettled(running.map((one) => one.finished));
      }
    };
    await Promise.race([gaveUp, ended()]);
  });
}

/** A screen reader goes to the content by it: each page has one. */
const LANDMARKS = ["landmark-one-main", "landmark-no-duplicate-main", "landmark-main-is-top-level"];

/** What axe finds on the page as it is. Notices come and go: what is there only while one fades is looked at again. */
export async function expectNoViolations(page: Page, where: string): Promise<void> {
  let found = await violationsOf(page);
  for (let again = 0; found.length > 0 && again < 2; again++) {
    await page.waitForTimeout(1000);
    found = await violationsOf(page);
  }
  expect.soft(found, where).toEqual([]);
}

async function violationsOf(page: Page): Promise<string[]> {
  await settled(page);
  // No page has frames: without looking into them, no blank page is opened for each analysis. What passes is not listed.
  const { violations } = await new AxeBuilder({ page })
    .setLegacyMode()
    .options({
      resultTypes: ["violations"],
      runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] },
      rules: Object.fromEntries(LANDMARKS.map((rule) => [rule, { enabled: true }])),
    })
    .analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary }) => `${id} ${html.slice(0, 160)} ${failureSummary}`),
  );
}

/** What axe finds on the page, light and wide, then dark and narrow; with SHOTS a screenshot of each into that folder. */
export async function expectAccessible(page: Page, name: string): Promise<void> {
  for (const [colorScheme, width] of [
    ["light", 1440],
    ["dark", 390],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await expectNoViolations(page, `${name}, ${colorScheme}`);
    if (process.env.SHOTS)
      await page.screenshot({ path: `${process.env.SHOTS}/${name}-${colorScheme}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}
