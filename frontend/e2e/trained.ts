import { setTimeout as pause } from "node:timers/promises";
import { expect, type Page } from "@playwright/test";
import { logIn, PASSWORD } from "./studio";

/** A training of one epoch on sample images, and the account that it is in. */
export type Started = { username: string; training: string };

/**
 * Register an account, draw sample images, start a training of them, and leave it running.
 *
 * @param address of the studio: "http://127.0.0.1:8000"
 */
export async function startTraining(
  address: string,
  task: "classification" | "multilabel" | "detection" = "classification",
): Promise<Started> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  const ask = async (path: string, body?: unknown) => {
    const init = body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers };
    const answer = await fetch(`${address}/api/v1/${path}`, init);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const username = `trainer-${process.pid}-${Date.now()}`;
  const account = { username, email: `${username}@example.org`, password: PASSWORD };
  const { token } = await ask("auth/register/", account);
  headers.Authorization = `Token ${token}`;
  const { job, project } = await ask("projects/samples/", { task });
  while (["queued", "running"].includes((await ask(`jobs/${job}/`)).state)) await pause(500);
  const { id: training } = await ask("trainings/", { project, epochs: 1 });
  return { username, training };
}

/** Log in to the account of the training, and wait for its model. Returns the model's page. */
export async function modelOf(page: Page, { username, training }: Started): Promise<string> {
  await logIn(page, username);
  const read = async () => (await page.request.get(`/api/v1/trainings/${training}/`)).json();
  await expect
    .poll(async () => (await read()).state, { timeout: 300_000, intervals: [1000] })
    .toBe("succeeded");
  const { project, model } = await read();
  return `/projects/${project}/models/${model}`;
}

/**
 * The page of a model that `prepare.ts` has started. Journeys share it: none deletes it, or expects that nothing else
 * waits in its account.
 */
export function trainedModel(page: Page): Promise<string> {
  const { E2E_TRAINER: username = "", E2E_TRAINING: training = "" } = process.env;
  return modelOf(page, { username, training });
}
