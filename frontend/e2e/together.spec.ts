import { type Browser, expect, type Page, test } from "@playwright/test";
import { createProject, register, startLabelling, upload } from "./studio";

async function invited(browser: Browser, owner: Page, project: string, role = "Editor"): Promise<Page> {
  await owner.goto(`/projects/${project}/settings`);
  await owner.getByRole("combobox", { name: "Invite as" }).click();
  await owner.getByRole("option", { name: role }).click();
  await owner.getByRole("button", { name: "Make an invitation link" }).click();
  const address = await owner.getByLabel(/Give this link/).inputValue();
  const page = await (await browser.newContext()).newPage();
  await page.goto(new URL(address).pathname);
  await page.getByRole("link", { name: "Create an account" }).click();
  const name = `guest-${Date.now()}`;
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Mail address").fill(`${name}@example.org`);
  await page.getByRole("textbox", { name: "Password" }).fill("a-long-pass-phrase-7");
  await page.getByRole("button", { name: "Create account" }).click();
  return page;
}

async function draw(page: Page, x: number, y: number): Promise<void> {
  const area = await page.getByTestId("annotator-area").boundingBox();
  if (!area) throw new Error("no annotator");
  await page.mouse.move(area.x + x, area.y + y);
  await page.mouse.down();
  await page.mouse.move(area.x + x + 90, area.y + y + 70, { steps: 4 });
  await page.mouse.up();
}

test("an undo takes back one's own box, and leaves the one that another drew after it", async ({
  page,
  browser,
}) => {
  await register(page);
  const project = await createProject(page, "Together", "Where on the image is it?", "screw, nut");
  await upload(page, 3);
  const guest = await invited(browser, page, project);
  // Who came by an invitation is in the project, and not asked to join once more.
  await expect(guest.getByRole("heading", { name: "Together" })).toBeVisible();
  await page.getByRole("link", { name: "Label", exact: true }).click();
  await expect(page.getByText("0 boxes")).toBeVisible();
  await guest.goto(page.url());
  await expect(guest.getByText("0 boxes")).toBeVisible();
  await draw(page, 200, 200);
  await expect(guest.getByText("1 box", { exact: true })).toBeVisible();
  await draw(guest, 400, 200);
  await expect(page.getByText("2 boxes")).toBeVisible();
  await page.keyboard.press("Control+z");
  for (const one of [page, guest]) await expect(one.getByText("1 box", { exact: true })).toBeVisible();
});

test("two versions of an image are decided about once, and what is refused is said in words", async ({
  page,
  browser,
}) => {
  await register(page);
  const project = await createProject(page, "Two versions", "Where on the image is it?", "screw, nut");
  await upload(page, 3);
  const guest = await invited(browser, page, project);
  await expect(guest.getByRole("heading", { name: "Two versions" })).toBeVisible();
  await page.getByRole("link", { name: "Label", exact: true }).click();
  await expect(page.getByText("0 boxes")).toBeVisible();
  await guest.goto(page.url());
  await expect(guest.getByText("0 boxes")).toBeVisible();
  const saved = page.getByTestId("saved-state");
  const context = page.context();
  await context.setOffline(true);
  await draw(page, 200, 200);
  await draw(guest, 400, 200);
  await expect(guest.getByTestId("saved-state")).toContainText("Saved");
  await context.setOffline(false);
  await expect(saved).toContainText("1 needs you");
  await draw(page, 200, 350);
  await draw(page, 350, 350);
  await expect(page.getByText("3 boxes")).toBeVisible();
  await expect(saved).toContainText("1 needs you");
  await saved.click();
  await expect(page.getByText("3 × screw")).toBeVisible();
  await page.getByRole("button", { name: "Keep mine" }).click();
  await expect(saved).toContainText("Saved");
  await expect(guest.getByText("3 boxes")).toBeVisible();

  await context.setOffline(true);
  await draw(page, 350, 200);
  const status = await guest.evaluate(async () => {
    const session = (await (await fetch("/api/v1/auth/session/")).json()) as { csrf_token: string };
    const address = `/api/v1/images/${location.pathname.split("/").at(-1)}/`;
    const headers = { "X-CSRFToken": session.csrf_token };
    return (await fetch(address, { method: "DELETE", headers })).status;
  });
  expect(status).toBe(204);
  await context.setOffline(false);
  await expect(saved).toContainText("1 needs you");
  // It may wait: the labelling goes on beside it, and counts.
  await page.getByRole("link", { name: "Label", exact: true }).click();
  await expect(page.getByText("0 of 2 labelled")).toBeVisible();
  await page.reload();
  await expect(page.getByText("0 of 2 labelled")).toBeVisible();
  await expect(saved).toContainText("1 needs you"); // read from the browser's store
  await saved.click();
  await expect(page.getByText("The image was deleted, or you are no member")).toBeVisible();
  await page.getByRole("button", { name: "Drop this change" }).click();
  await expect(saved).toContainText("Saved");
});

test("a viewer has no button that only fails, and a stray file does not replace the studio", async ({
  page,
  browser,
}) => {
  await register(page);
  const project = await createProject(page, "To look at", "What is on the image?", "good, bad");
  await upload(page, 3);
  const guest = await invited(browser, page, project, "Viewer");
  await expect(guest.getByText("3 images have no label yet.")).toBeVisible();
  await expect(guest.getByRole("link", { name: "Label images" })).toHaveCount(0);
  const isRefused = await guest.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(["x"], "x.jpg"));
    return !document.body.dispatchEvent(
      new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }),
    );
  });
  expect(isRefused).toBe(true);
  await guest.getByRole("link", { name: "Datasets" }).click();
  await expect(guest.getByText("3 images", { exact: true })).toBeVisible();
  await expect(guest.getByRole("button", { name: "Export" })).toHaveCount(0);
});

test("a box comes by keys alone, and Tab leaves the annotator", async ({ page }) => {
  await register(page);
  await createProject(page, "Keys", "Where on the image is it?", "screw, nut");
  await upload(page, 3);
  await page.getByRole("link", { name: "Label", exact: true }).click();
  await expect(page.getByRole("img", { name: "image-" })).toBeVisible();
  await page.keyboard.press("a");
  await expect(page.getByText("1 box", { exact: true })).toBeVisible();
  await page.keyboard.press("Shift+ArrowRight");
  await expect(page.getByTestId("saved-state")).toContainText("Saved");
  const first = page.url();
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await expect.poll(() => page.url()).not.toBe(first);
  // It has a box by now, so it is not among those without a label: it is the image before all the same.
  await page.keyboard.press("p");
  await expect.poll(() => page.url()).toBe(first);
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
  await page.getByRole("button", { name: "Back to the images" }).focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  const before = await focused();
  await page.keyboard.press("Tab");
  expect(await focused()).not.toBe(before);
});

test("an undo shows its image again, and what was skipped is not called labelled", async ({ page }) => {
  await register(page);
  await createProject(page, "Slips", "What is on the image?", "good, bad");
  await upload(page, 3);
  await startLabelling(page);
  const shown = page.getByTestId("labeling-image");
  const first = await shown.getAttribute("data-image");
  await page.keyboard.press("1");
  await page.keyboard.press("Control+z");
  await expect(shown).toHaveAttribute("data-image", first ?? "");
  await expect(page.getByText("0 of 3 labelled")).toBeVisible();
  await page.keyboard.press("2");
  await page.keyboard.press("Space");
  await page.keyboard.press("1");
  await expect(page.getByText("1 image was left without a label")).toBeVisible();
  await page.getByRole("button", { name: "Go through them again" }).click();
  await page.keyboard.press("1");
  await expect(page.getByText("Every image here is labelled")).toBeVisible();
  await expect(page.getByTestId("saved-state")).toContainText("Saved");
});

test("a login that has ended is said, and no label is lost by it", async ({ page, context }) => {
  const name = await register(page);
  await createProject(page, "Logged out", "What is on the image?", "good, bad");
  await upload(page, 3);
  await startLabelling(page);
  await context.clearCookies();
  await page.keyboard.press("1");
  const notice = page.getByRole("alert", { name: "Logged out" });
  await expect(notice).toContainText("waits in this browser");
  await notice.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("User name").fill(name);
  await page.getByRole("textbox", { name: "Password" }).fill("a-long-pass-phrase-7");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByText("1 of 3 labelled")).toBeVisible();
});

test("every page of a project is reached on a phone", async ({ page }) => {
  await register(page);
  await createProject(page, "Phone", "What is on the image?", "good, bad");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Settings" }).click();
  await expect(page.getByRole("heading", { name: "Settings" })).toBeVisible();
});

test("somebody is invited by name, joins, leaves, and an invitation is taken back", async ({
  page,
  browser,
}) => {
  await register(page);
  await createProject(page, "By name", "What is on the image?", "good, bad");
  const guest = await (await browser.newContext()).newPage();
  const name = await register(guest);
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  const invite = async (to: string) => {
    await page.getByLabel("Or add by user name").fill(to);
    await page.getByRole("button", { name: "Add as Editor" }).click();
    await expect(page.getByText(`${to} is invited, until`)).toBeVisible();
  };
  await invite(name);
  await guest.goto("/");
  await expect(guest.getByText(/invites you to “By name”/)).toBeVisible();
  await guest.getByRole("button", { name: "Join" }).click();
  await guest.getByRole("link", { name: /By name/ }).click();
  await guest.getByRole("link", { name: "Settings", exact: true }).click();
  await guest.getByRole("button", { name: "Leave the project" }).click();
  await guest.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await expect(guest.getByRole("button", { name: "New project" }).first()).toBeVisible();
  await expect(guest.getByRole("link", { name: /By name/ })).toHaveCount(0);
  await invite("nobody-of-this-name");
  await page.getByRole("button", { name: "Take back the invitation of nobody-of-this-name" }).click();
  await expect(page.getByText("nobody-of-this-name is invited, until")).toHaveCount(0);
});

test("what one does and what is counted have their own words in German", async ({ browser }) => {
  const page = await (await browser.newContext({ locale: "de-DE" })).newPage();
  await page.goto("/register");
  const name = `deutsch-${Date.now()}`;
  await page.getByLabel("Benutzername").fill(name);
  await page.getByLabel("E-Mail-Adresse").fill(`${name}@example.org`);
  await page.getByRole("textbox", { name: "Passwort" }).fill("a-long-pass-phrase-7");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Neues Projekt" }).first().click();
  await page.getByRole("dialog").getByLabel("Name").fill("Wörter");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "Trainings", exact: true }).click();
  await expect(page.getByRole("link", { name: "Trainieren", exact: true })).toBeVisible();
  await page.setViewportSize({ width: 390, height: 844 });
  const tab = page.getByRole("link", { name: "Labeln", exact: true });
  const isCut = await tab.locator("span").evaluate((word) => word.scrollWidth > word.clientWidth);
  expect(isCut).toBe(false);
});
