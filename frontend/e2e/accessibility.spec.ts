import { expect, test } from "@playwright/test";
import { createProject, expectNoViolations, logInAsStaff, register, upload } from "./studio";

test("no page breaks a rule of accessibility, light or dark, wide or narrow", async ({ page }) => {
  test.setTimeout(480_000);
  for (const path of ["/login", "/register", "/reset"]) {
    await page.goto(path);
    await expect(page.getByRole("heading")).toBeVisible();
    await expectNoViolations(page, path);
  }
  await register(page);
  const project = await createProject(page, "Pages", "What is on the image?", "good, bad");
  await upload(page, 16);
  await page.getByRole("region", { name: "Uploads" }).getByRole("button", { name: "Close" }).click();
  const base = `/projects/${project}`;
  const snapshots = await takeTwo(page, project);
  const training = await cancelledTraining(page, project);
  const paths = [
    "/",
    "/account",
    "/activity",
    "/about",
    "/help/keys",
    "/search?q=im",
    "/trash",
    base,
    ...[
      "images",
      "images?split=none",
      "label",
      "review",
      "review/live",
      "review/map",
      "review/suspects",
      "review/duplicates",
      "labels",
      "datasets",
      `snapshots/${snapshots[0]}`,
      `snapshots/${snapshots[1]}?with=${snapshots[0]}`,
      "import",
      "settings",
      "settings/trash",
      "settings/webhooks",
      "trainings",
      "trainings/new",
      `trainings/${training}`,
      "models",
      "models/compare",
      "videos",
      "try",
      "devices",
    ].map((name) => `${base}/${name}`),
  ];
  const checkAll = async (wanted: string[]) => {
    for (const path of wanted) {
      await page.goto(path);
      await page.waitForLoadState("networkidle").catch(() => undefined);
      for (const [scheme, width] of [
        ["light", 1440],
        ["dark", 390],
      ] as const) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 900 });
        await expectNoViolations(page, `${path.replace(project, "…")} ${scheme} ${width}`);
      }
    }
  };
  await checkAll(paths);
  await page.context().clearCookies();
  await logInAsStaff(page);
  await checkAll(["", "/users", "/storage", "/backups", "/settings"].map((part) => `/system${part}`));
});

/** Two snapshots, between which one image got a label. */
async function takeTwo(page: import("@playwright/test").Page, project: string): Promise<string[]> {
  return page.evaluate(async (id) => {
    const ask = async (address: string, body?: unknown) => {
      const { csrf_token: token } = await (await fetch("/api/v1/auth/session/")).json();
      const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
      const init = body ? { method: "POST", headers, body: JSON.stringify(body) } : {};
      return (await fetch(`/api/v1/${address}`, init)).json();
    };
    const dataset = (await ask(`datasets/?project=${id}`)).results[0].id;
    const images = (await ask(`images/?project=${id}`)).results.map((one: { id: string }) => one.id);
    const made: string[] = [];
    for (const count of [3, 4]) {
      await ask("images/bulk/", { action: "label", label: "good", images: images.slice(0, count) });
      made.push((await ask(`datasets/${dataset}/snapshots/`, {})).id);
    }
    return made;
  }, project);
}

/** One that was cancelled while it waited. */
async function cancelledTraining(page: import("@playwright/test").Page, project: string): Promise<string> {
  return page.evaluate(async (id) => {
    const { csrf_token: token } = await (await fetch("/api/v1/auth/session/")).json();
    const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
    const send = (address: string, body: unknown) =>
      fetch(`/api/v1/${address}`, { method: "POST", headers, body: JSON.stringify(body) });
    const { results } = await (await fetch(`/api/v1/images/?project=${id}`)).json();
    const images = results.map((one: { id: string }) => one.id);
    for (const [label, chosen] of [
      ["good", images.slice(0, images.length / 2)],
      ["bad", images.slice(images.length / 2)],
    ])
      await send("images/bulk/", { action: "label", label, images: chosen });
    const { id: training } = await (await send("trainings/", { project: id })).json();
    await send(`trainings/${training}/cancel/`, {});
    return training;
  }, project);
}

test("titles stand at one place on every page, and no page is wider than a phone", async ({ page }) => {
  await register(page);
  const project = await createProject(page, "Calm", "What is on the image?", "good, bad");
  const base = `/projects/${project}`;
  const inProject = [
    "",
    "/labels",
    "/datasets",
    "/import",
    "/settings",
    "/settings/trash",
    "/settings/webhooks",
  ].concat(["/trainings", "/trainings/new", "/models", "/videos", "/try", "/devices"]);
  const places = async (paths: string[]) => {
    const found = new Set<number>();
    for (const path of paths) {
      await page.goto(path);
      const box = await page.getByRole("heading", { level: 1 }).first().boundingBox();
      found.add(Math.round(box?.x ?? -1));
    }
    return [...found];
  };
  const alone = ["/", "/account", "/activity", "/about", "/help/keys", "/search", "/trash"];
  expect(await places(inProject.map((path) => base + path))).toHaveLength(1);
  expect(await places(alone)).toHaveLength(1);
  await page.setViewportSize({ width: 390, height: 844 });
  for (const path of [...alone, ...inProject.map((path) => base + path)]) {
    await page.goto(path);
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth"), path).toBeLessThanOrEqual(390);
  }
});
