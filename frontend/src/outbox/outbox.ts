import { useState } from "react";
import { create } from "zustand";
import { request } from "../api/client";
import { asStudioError, type StudioError } from "../api/errors";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import { whenOwnerChanges } from "../api/owner";
import { queryClient } from "../app/queries";
import { currentOf } from "./conflicts";
import { KeptQueues } from "./kept";
import {
  type Command,
  confirmed,
  enqueue,
  isSettled,
  marked,
  newest,
  failed as notTaken,
  restored,
  sendable,
} from "./queue";

interface Outbox {
  queue: Command[];
  /** What tabs that are gone had left is in the queue. */
  isReady: boolean;
  /** No answer came to the last attempt. */
  isOffline: boolean;
  /** When something was last confirmed, to show "saved" for a moment. */
  savedAt: number;
}

const AT_ONCE = 4;
const waiting = new Map<string, (answer: unknown) => void>();

export const useOutbox = create<Outbox>(() => ({
  queue: [],
  isReady: false,
  isOffline: false,
  savedAt: 0,
}));

/** The revision that the last confirmed change of each subject left. */
const left = new Map<string, number>();

let kept: KeptQueues | null = null;
let pause = 0;

function update(change: (queue: Command[]) => Command[]): Promise<unknown> {
  useOutbox.setState(({ queue }) => ({ queue: change(queue) }));
  return kept?.write(useOutbox.getState().queue) ?? Promise.resolve();
}

/** Opens what belongs to a user: reads what their tabs left behind, and sends it. What another left here waits for them. */
function open(user: number): void {
  kept?.close();
  waiting.clear();
  left.clear();
  useOutbox.setState({ queue: [], isReady: false, isOffline: false });
  const mine = new KeptQueues(user, uuid());
  kept = mine;
  const take = (queue: Command[]) =>
    kept === mine ? update((own) => [...restored(queue), ...own]) : mine.write(queue);
  void mine
    .adopt(take)
    .catch(() => undefined)
    .then(() => {
      if (kept !== mine) return;
      useOutbox.setState({ isReady: true });
      void flush();
    });
}

export function startOutbox(): void {
  if (typeof indexedDB === "undefined" || typeof BroadcastChannel === "undefined") {
    useOutbox.setState({ isReady: true });
    return;
  }
  whenOwnerChanges(open);
  window.addEventListener("online", () => void flush());
  window.addEventListener("beforeunload", (event) => {
    // Nothing is lost without this question: it only says that the server does not have everything yet.
    if (useOutbox.getState().isOffline && useOutbox.getState().queue.length > 0) event.preventDefault();
  });
}

/** Whether what was waiting when the page opened has reached the server, or cannot now; it stays so. */
export function useSettled(): boolean {
  const isNow = useOutbox(({ isReady, isOffline, queue }) => isReady && (isSettled(queue) || isOffline));
  const [was, setWas] = useState(false);
  if (isNow && !was) setWas(true);
  return was || isNow;
}

/** The newest change of this subject that has not reached the server yet. */
export function lastWaiting(subject: string): Command | undefined {
  return useOutbox.getState().queue.findLast((command) => command.subject === subject);
}

/** Whether a change of this subject has not reached the server yet. */
export function isWaiting(subject: string): boolean {
  return lastWaiting(subject) !== undefined;
}

/** The revision that one's own last confirmed change left. What is older than that was read before it. */
export function revisionLeft(subject: string): number {
  return left.get(subject) ?? 0;
}

/** Keeps a change until the server has it, and sends it at once. Resolves with the server's answer. */
export function post(command: Omit<Command, "id" | "at" | "state">): Promise<unknown> {
  const revision = newest(command.revision, left.get(command.subject));
  const whole: Command = { ...command, revision, id: uuid(), at: Date.now(), state: "waiting" };
  const answer = new Promise<unknown>((resolve) => waiting.set(whole.id, resolve));
  void update((queue) => enqueue(queue, whole)).then(() => flush());
  return answer;
}

export async function flush(): Promise<void> {
  const found = sendable(useOutbox.getState().queue, AT_ONCE);
  for (const command of found) void attempt(command);
}

async function attempt(command: Command): Promise<void> {
  await update((queue) => marked(queue, command.id, { state: "sending" }));
  try {
    const answer = await sent(command);
    const revision = (answer as { revision?: number } | undefined)?.revision ?? null;
    // Before anything is awaited: what is posted from now on continues on it, or it would conflict with one's own change.
    if (revision !== null) left.set(command.subject, revision);
    await update((queue) => confirmed(queue, command.id, revision));
    useOutbox.setState({ isOffline: false, savedAt: Date.now() });
    pause = 0;
    const done = waiting.get(command.id);
    waiting.delete(command.id);
    if (done) done(answer);
    // Of a page that is gone: what this one has loaded does not know of it yet.
    else void queryClient.invalidateQueries({ queryKey: keys.project(command.project) });
    void flush();
  } catch (error) {
    await failed(command, asStudioError(error));
  }
}

async function failed(command: Command, error: StudioError): Promise<void> {
  if (error.isTemporary || error.status === 401) {
    await update((queue) => marked(queue, command.id, { state: "waiting" }));
    useOutbox.setState({ isOffline: error.status === 0 });
    pause = Math.min(30_000, error.retryAfter ? 1000 * error.retryAfter : Math.max(1000, pause * 2));
    setTimeout(() => void flush(), pause);
    return;
  }
  // Without what is there now there are no two versions to decide between, as where a label is gone.
  const state = error.status === 409 && currentOf(error.body) ? "conflict" : "refused";
  useOutbox.setState({ isOffline: false });
  const why = { state, problem: error.message, code: error.code, theirs: error.body } as const;
  await update((queue) => notTaken(queue, command.id, why));
  void flush();
}

async function sent(command: Command): Promise<unknown> {
  const query = command.revision === null ? "" : `?revision=${command.revision}`;
  const response = await request(command.address + query, {
    method: command.method,
    headers: { "Content-Type": "application/json", "Idempotency-Key": command.id },
    body: command.body === undefined ? null : JSON.stringify(command.body),
  });
  return response.status === 204 ? undefined : response.json();
}

/** The person decided: theirs as it is, or mine sent again, on top of a revision. */
export function settle(id: string, choice: "mine" | "theirs", revision: number | null = null): void {
  if (choice === "theirs")
    void update((queue) => queue.filter((command) => command.id !== id)).then(() => flush());
  else
    void update((queue) => marked(queue, id, { state: "waiting", revision, id: uuid() })).then(() => flush());
}
