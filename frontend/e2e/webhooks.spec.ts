import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "@playwright/test";
import { createProject, expectNoViolations, register, watch } from "./studio";

test("an owner adds a webhook, tries it, sends a message again, pauses and deletes it", async ({ page }) => {
  let answer = 500;
  const got: string[] = [];
  const receiver = createServer((request, response) => {
    got.push(String(request.headers["webhook-id"]));
    request.resume();
    response.writeHead(answer).end();
  });
  await new Promise<void>((ready) => receiver.listen(0, "127.0.0.1", ready));
  const address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  try {
    const problems = watch(page);
    await register(page);
    const project = await createProject(page, "Bolts", "What is on the image?", "good, bad");
    await page.goto(`/projects/${project}/settings`);
    await page.getByRole("link", { name: "Webhooks" }).click();
    await expect(page.getByText("Nobody is called yet")).toBeVisible();

    await page.getByRole("button", { name: "Add a webhook" }).click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Address").fill(address);
    await form.getByLabel("an evaluation has ended").check();
    await form.getByRole("button", { name: "Add" }).click();
    await expect(form.getByLabel("Secret, shown only now")).toHaveValue(/^whsec_/);
    await form.getByRole("button", { name: "Done" }).click();

    const card = page.getByRole("region", { name: address });
    await card.getByRole("button", { name: "Send a test" }).click();
    const message = card.getByTestId("delivery");
    await expect(message).toContainText("answer 500");
    await expect(message).toContainText("not arrived yet");
    answer = 204;
    await message.getByRole("button", { name: /again$/ }).click();
    await expect(message).toContainText("arrived · answer 204");
    expect(new Set(got).size).toBe(1);
    await expectNoViolations(page, "webhooks");

    await card.getByRole("button", { name: /^More/ }).click();
    await page.getByRole("menuitem", { name: "Pause" }).click();
    await expect(card.getByText("paused")).toBeVisible();
    await expect(card.getByRole("button", { name: "Send a test" })).toBeDisabled();
    await card.getByRole("button", { name: /^More/ }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await expect(page.getByText("Nobody is called yet")).toBeVisible();
    expect(problems).toEqual([]);
  } finally {
    receiver.closeAllConnections();
    receiver.close();
  }
});

test("an account has tokens, quotas, a name and another mail address", async ({ page, request }) => {
  const problems = watch(page);
  const name = await register(page);
  await page.goto("/account");
  await page.getByLabel("Name of a new token").fill("notebook");
  await page.getByRole("combobox", { name: "May" }).click();
  await page.getByRole("option", { name: "only read" }).click();
  await page.getByRole("button", { name: "Make a token" }).click();
  const token = await page.getByLabel("Token, shown only now").inputValue();
  await expect(page.getByLabel("A line that tries it in a terminal")).toHaveValue(
    new RegExp(`Token ${token}`),
  );
  const asked = { headers: { Authorization: `Token ${token}` } };
  expect((await request.get("/api/v1/users/me/", asked)).status()).toBe(200);
  expect((await request.post("/api/v1/projects/", asked)).status()).toBe(403);
  await page.getByRole("button", { name: "End the token notebook" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End the token" }).click();
  await expect(page.getByRole("button", { name: "End the token notebook" })).toBeHidden();
  expect((await request.get("/api/v1/users/me/", asked)).status()).toBe(401);

  await page.getByLabel("First name").fill("Anna");
  await page.getByRole("button", { name: "Save the name" }).click();
  await expect(page.getByRole("button", { name: "Save the name" })).toBeDisabled();
  await page.getByLabel("New mail address").fill(`${name}@example.com`);
  await page.getByRole("textbox", { name: "Password, to be sure" }).fill("a-long-pass-phrase-7");
  await page.getByRole("button", { name: "Change the address" }).click();
  await expect(page.getByText(`A mail with a link was sent to ${name}@example.com`)).toBeVisible();
  await expect(page.getByText("0 of 200")).toBeVisible();

  await page.getByRole("button", { name: "Delete the account" }).click();
  await page.getByRole("dialog").getByRole("textbox").fill(name);
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("button", { name: "Log in" })).toBeVisible();
  expect(problems).toEqual([]);
});
