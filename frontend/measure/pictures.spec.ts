import { mkdirSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { createProject, register } from "../e2e/studio";
import { MortalStudio } from "./studio";

// `python frontend/pictures.py` says where: every page, full and empty, light and dark, at three widths.
const { PICTURES_FOLDER: folder = "", PICTURES_PORT: port = "", PICTURES_PYTHON: python = "" } = process.env;
const WIDTHS = [1440, 820, 390];
const SCHEMES = ["light", "dark"] as const;
const studio = new MortalStudio(folder, port, python);

test.beforeAll(() => studio.start());
test.afterAll(() => studio.kill());

test("every page", async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  const outside = ["/login", "/register", "/reset"];
  for (const path of outside) await shoot(page, path, path.slice(1));
  await register(page);
  await shoot(page, "/", "projects-empty");
  const empty = await createProject(page, "Screws", "What is on the image?", "good, bad");
  // They are drawn while the empty pages are looked at.
  const full = {
    classification: await samples(page, "classification"),
    detection: await samples(page, "detection"),
  };
  for (const path of await navigation(page, empty)) await shoot(page, path, `empty-${nameOf(path, empty)}`);
  for (const [task, { project, job }] of Object.entries(full)) {
    await drawn(page, job);
    for (const path of await navigation(page, project))
      await shoot(page, path, `${task}-${nameOf(path, project)}`);
    await page.goto(`/projects/${project}/images`);
    const first = page.getByRole("list", { name: "Images" }).getByRole("link").first();
    await expect(first).toBeVisible();
    await shoot(page, (await first.getAttribute("href")) ?? "", `${task}-image`);
  }
  for (const path of ["/", "/account", "/activity", "/about", "/help/keys", "/search?q=sh", "/trash"])
    await shoot(page, path, `all-${path.split("?")[0]?.slice(1).replace("/", "-") || "projects"}`);
});

/** The pages that the rail of a project leads to, and those that it has below them. */
async function navigation(page: Page, project: string): Promise<string[]> {
  await page.goto(`/projects/${project}`);
  await page.waitForTimeout(1500);
  const found = await page.evaluate(
    (id) => [
      ...new Set(
        [...document.querySelectorAll(`a[href^="/projects/${id}"]`)].map(
          (link) => link.getAttribute("href") ?? "",
        ),
      ),
    ],
    project,
  );
  const below = ["review/suspects", "review/duplicates", "trainings/new", "settings/trash"].map(
    (name) => `/projects/${project}/${name}`,
  );
  return [...found.filter((path) => !path.includes("?")), ...below];
}

function nameOf(path: string, project: string): string {
  return (
    path.replace(`/projects/${project}`, "").split("?")[0]?.replaceAll("/", "-").replace(/^-/, "") ||
    "overview"
  );
}

interface Samples {
  project: string;
  job: string;
}

async function samples(page: Page, task: string): Promise<Samples> {
  const session = await page.request.get("/api/v1/auth/session/");
  const { csrf_token } = (await session.json()) as { csrf_token: string };
  const answer = await page.request.post("/api/v1/projects/samples/", {
    data: { task },
    headers: { "X-CSRFToken": csrf_token, Referer: page.url() },
  });
  return (await answer.json()) as Samples;
}

async function drawn(page: Page, job: string): Promise<void> {
  const state = async () =>
    ((await (await page.request.get(`/api/v1/jobs/${job}/`)).json()) as { state: string }).state;
  await expect.poll(state, { timeout: 900_000 }).toBe("succeeded");
}

/** Opened once: the page itself follows the width and the scheme. */
async function shoot(page: Page, path: string, name: string): Promise<void> {
  mkdirSync(`${folder}/pictures`, { recursive: true });
  await page.goto(path);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    for (const scheme of SCHEMES) {
      await page.emulateMedia({ colorScheme: scheme });
      await settled(page);
      await page.screenshot({
        path: `${folder}/pictures/${name}-${scheme}-${width}.png`,
        animations: "disabled",
      });
    }
  }
  // What comes next looks for the rail of a wide window.
  await page.setViewportSize({ width: 1440, height: 900 });
}

/** Until nothing is loading any more: the stream of events never ends, so the network is never idle. */
async function settled(page: Page): Promise<void> {
  const isSettled = `!document.querySelector(".mantine-Loader-root, .mantine-Skeleton-root") &&
    [...document.images].every((image) => image.complete) && document.querySelector("h1, main, form") !== null`;
  await page.waitForFunction(isSettled, undefined, { timeout: 8000 }).catch(() => undefined);
  await page.waitForTimeout(250);
}
