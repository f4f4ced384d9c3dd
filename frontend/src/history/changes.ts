import { request, send } from "../api/client";
import { asStudioError, StudioError } from "../api/errors";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import type { Job } from "../api/types";
import { queryClient } from "../app/queries";
import { type Action, amended, continued, did, performs } from "./history";
import { making } from "./whenMade";

const json = { "Content-Type": "application/json" };
const POLL_MILLISECONDS = 1000;

export type Changed<Answer> = Answer & { change: string | null };

interface Call {
  method: "POST" | "PUT" | "PATCH" | "DELETE";
  address: string;
  body?: unknown;
}

/**
 * Sends a change and remembers how it is taken back: the studio names it in a header, or in the result of its job.
 *
 * @param merges as for `rememberPart`: requests with the same key are taken back together.
 */
export async function undoable<Answer extends object>(
  project: string,
  title: string,
  { method, address, body }: Call,
  merges?: string,
): Promise<Changed<Answer>> {
  const sent = async () => {
    const response = await request(address, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { ...json, ...(method === "DELETE" ? {} : { "Idempotency-Key": uuid() }) },
    });
    const found = await ended<Answer>(response);
    if (merges) rememberPart(project, title, found.change, merges);
    else remember(project, title, found.change);
    return found;
  };
  const { answer, change } = await making(sent());
  await queryClient.invalidateQueries({ queryKey: keys.project(project) });
  return { ...answer, change };
}

/** Notes a change that was made elsewhere, so that the keys for undo find it. */
export function remember(project: string, title: string, change: string | null): void {
  if (change)
    did({ title, project, undo: changesAction(project, [change]), redo: changesAction(project, []) });
}

/** As `remember`, for what a person does once and the studio gets in parts: with the same key they are one step. */
export function rememberPart(project: string, title: string, change: string | null, merges: string): void {
  if (!change) return;
  const last = continued(merges, Number.POSITIVE_INFINITY);
  const before = last ? (last.undo.payload as Changes).changes : [];
  const undo = changesAction(project, [...before, change]);
  const step = { title, project, undo, redo: changesAction(project, []), merges };
  if (last) amended(step);
  else did(step);
}

/** Takes a change back. Answers the change that this was: taking that back does the first one again. */
export async function undoChange(change: string): Promise<string | null> {
  const response = await request(`/api/v1/changes/${change}/undo/`, {
    method: "POST",
    body: "{}",
    headers: json,
  });
  return (await ended(response)).change;
}

/** What was answered; where the studio answers with a job, the result of that once it has ended. */
export async function ended<Answer>(response: Response): Promise<{ answer: Answer; change: string | null }> {
  const change = response.headers.get("X-Change");
  if (response.status === 204) return { answer: {} as Answer, change };
  const answer = (await response.json()) as Answer;
  if (response.status !== 202) return { answer, change };
  await queryClient.invalidateQueries({ queryKey: ["activity"] });
  const job = await follow((answer as unknown as Job).id);
  const result = (job.result ?? {}) as unknown as Answer & { change?: string | null };
  return { answer: result, change: result.change ?? null };
}

async function follow(id: string): Promise<Job> {
  for (;;) {
    const job = await send<Job>("GET", `/api/v1/jobs/${id}/`);
    if (job.state === "succeeded") return job;
    if (job.state === "failed" || job.state === "cancelled") {
      const error = job.error ?? { code: "cancelled", detail: "" };
      throw new StudioError(409, [{ code: error.code, detail: error.detail, attr: null }]);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}

interface Changes {
  project: string;
  /** In the order in which they were made. */
  changes: string[];
}

function changesAction(project: string, changes: string[]): Action {
  return { kind: "changes", payload: { project, changes } satisfies Changes };
}

performs<Changes>("changes", async ({ project, changes }) => {
  const made: string[] = [];
  try {
    for (const change of changes.toReversed()) {
      const back = await undoChange(change).catch((problem) => {
        // By an attempt that was broken off.
        if (changes.length > 1 && asStudioError(problem).code === "already_undone") return null;
        throw problem;
      });
      if (back) made.push(back);
    }
  } finally {
    await queryClient.invalidateQueries({ queryKey: keys.project(project) });
  }
  return changesAction(project, made);
});
