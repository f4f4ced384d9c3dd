import { t } from "@lingui/core/macro";
import { request, send } from "../api/client";
import { asStudioError, type Problem } from "../api/errors";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import type { Job, StudioImage } from "../api/types";
import { refresher } from "../app/queries";
import { ended, rememberPart } from "../history/changes";
import { batches, faultOf, kindOf, namedApart } from "./classify";
import { folderOf, pathOf } from "./dropped";
import { dropFile, fileOf, forgetFile, holdFile, keepFiles, keptIds, keptItems } from "./files";
import { lookAgain, makeLabel } from "./labels";
import { sendInParts } from "./sendInParts";
import { answerOtherTabs, watchOtherTabs } from "./tabs";
import { addItems, changeItems, clearEnded, type Item, interruptedBy, useUploads } from "./uploads";

const REQUESTS_AT_ONCE = 3;
const WAIT = 3000;

export interface Target {
  project: string;
  dataset: string;
  /** One label for all of them, or the name of each one's folder, or none. */
  label: string | null;
  labelsFromFolders?: boolean;
  strips?: boolean;
}

interface Limits {
  max_image_bytes: number;
  max_upload_bytes: number;
}

/** Checks files, lists them, and begins to send. `problems` gives the words for each fault. */
export function addFiles(
  files: File[],
  target: Target,
  limits: Limits,
  problems: Record<string, string>,
): void {
  const together = uuid();
  files = files.filter((file) => !goesOnWith(file));
  const items = files.map((file): Item => {
    const fault = faultOf(file, limits);
    const path = pathOf(file);
    return {
      id: uuid(),
      project: target.project,
      dataset: target.dataset,
      label: target.labelsFromFolders ? folderOf(path) : target.label,
      strips: target.strips,
      path,
      size: file.size,
      modified: file.lastModified,
      kind: kindOf(file),
      state: fault ? "failed" : "waiting",
      sent: 0,
      together,
      from: location.pathname,
      problem: fault ? problems[fault] : undefined,
    };
  });
  addItems(items);
  const waiting = items.flatMap((item, index) => {
    const file = files[index];
    return item.state === "waiting" && file ? [{ item, file }] : [];
  });
  for (const { item, file } of waiting) holdFile(item.id, file);
  // In the background: neither the list nor the first request waits for two thousand writes.
  void keepFiles(waiting);
  void sendAll();
}

/** Goes on with an upload that was interrupted. Answers whether the file is the one of such an upload. */
export function goesOnWith(file: File): boolean {
  const item = interruptedBy(file, useUploads.getState().items);
  if (!item) return false;
  holdFile(item.id, file);
  void keepFiles([{ item, file }]);
  changeItems(new Set([item.id]), { state: "waiting" });
  void sendAll();
  return true;
}

const isUnderWay = ({ state }: Item) => state === "waiting" || state === "sending";

export async function resumeUploads(): Promise<void> {
  answerOtherTabs(() =>
    useUploads
      .getState()
      .items.filter(isUnderWay)
      .map(({ id }) => id),
  );
  watchOtherTabs(async () => {
    const known = idsHere();
    return (await keptIds()).filter((id) => !known.has(id));
  }, takeOver);
  await takeOver();
}

const idsHere = () => new Set(useUploads.getState().items.map(({ id }) => id));

/** Sends what a tab that is gone has left. */
async function takeOver(): Promise<void> {
  const items = await keptItems();
  const known = idsHere();
  const fresh = items.filter(({ id }) => !known.has(id));
  if (fresh.length === 0) return;
  addItems(fresh);
  void sendAll();
}

/** Closes the list: what failed is given up, and does not come back with the next page. */
export function dismissEnded(): void {
  for (const { id, state } of useUploads.getState().items)
    if (state === "failed" || state === "interrupted") void dropFile(id);
  clearEnded();
}

export function retryFailed(): void {
  const failed = useUploads.getState().items.filter((item) => item.state === "failed" && fileOf(item.id));
  changeItems(new Set(failed.map(({ id }) => id)), { state: "waiting", problem: undefined, sent: 0 });
  void sendAll();
}

let running = 0;

async function sendAll(): Promise<void> {
  while (running < REQUESTS_AT_ONCE) {
    const next = nextBatch(useUploads.getState().items);
    if (!next || useUploads.getState().isPaused) return;
    running += 1;
    changeItems(new Set(next.map(({ id }) => id)), { state: "sending" });
    void sendBatch(next).finally(() => {
      running -= 1;
      void sendAll();
    });
  }
}

/** Images of one target go together; everything else goes alone, in parts that can be resumed. */
export function nextBatch(items: Item[]): Item[] | undefined {
  const first = items.find(({ state }) => state === "waiting");
  if (!first) return undefined;
  if (first.kind !== "image") return [first];
  const alike = items.filter(
    (item) =>
      item.state === "waiting" &&
      item.kind === "image" &&
      item.dataset === first.dataset &&
      item.label === first.label &&
      item.strips === first.strips &&
      item.together === first.together,
  );
  return batches(namedApart(alike))[0];
}

async function sendBatch(items: Item[]): Promise<void> {
  const ids = new Set(items.map(({ id }) => id));
  try {
    if (items[0]?.kind === "image") await sendImages(items);
    else for (const item of items) await sendLarge(item);
  } catch (error) {
    const problem = asStudioError(error);
    if (problem.isTemporary) {
      // A large file goes on where it stopped.
      changeItems(ids, items[0]?.kind === "image" ? { state: "waiting", sent: 0 } : { state: "waiting" });
      await new Promise((resolve) => setTimeout(resolve, (problem.retryAfter ?? WAIT / 1000) * 1000));
      return;
    }
    const [first] = items;
    if (first?.label) lookAgain(first.project, first.label);
    changeItems(ids, { state: "failed", problem: problem.message });
  }
}

/**
 * The same for the same files, and another one for any others: a request that was sent twice is done once. After a reload the
 * files go together in another way, and a key that had been sent with others would be refused.
 */
export function keyOf(ids: readonly string[]): string {
  let sum = 0n;
  for (const id of ids) sum ^= BigInt(`0x${id.replaceAll("-", "")}`);
  return sum.toString(16).padStart(32, "0");
}

interface Answer {
  created: StudioImage[];
  duplicates: { filename: string; detail: string }[];
  rejected: (Problem & { filename: string })[];
}

async function sendImages(items: Item[]): Promise<void> {
  const [first] = items;
  if (!first) return;
  if (first.label) await makeLabel(first.project, first.label);
  const form = new FormData();
  if (first.label) form.append("label", first.label);
  if (first.strips) form.append("strip_location", "true");
  for (const item of items.toSorted((one, other) => (one.id < other.id ? -1 : 1))) {
    const file = fileOf(item.id);
    if (file) form.append("files", file, item.path.split("/").pop());
  }
  const response = await request(`/api/v1/datasets/${first.dataset}/images/`, {
    method: "POST",
    body: form,
    headers: { "Idempotency-Key": keyOf(items.map(({ id }) => id)) },
  });
  const { answer, change } = await ended<Answer>(response);
  rememberPart(first.project, t`Upload of images`, change, `upload ${first.together ?? first.id}`);
  const bad = new Map(answer.rejected.map((one) => [one.filename, one.detail]));
  const here = new Set(answer.duplicates.map((one) => one.filename));
  for (const item of items) {
    const name = item.path.split("/").pop() ?? "";
    const problem = bad.get(name);
    const state = problem ? "failed" : here.has(name) ? "duplicate" : "done";
    changeItems(new Set([item.id]), { state, problem, sent: item.size });
    void (state === "failed" ? forgetFile(item.id) : dropFile(item.id));
  }
  refresh(first.project);
}

/** A cut connection, a reload or a restarted studio goes on where it stopped. */
async function sendLarge(item: Item): Promise<void> {
  const file = fileOf(item.id);
  if (!file) return;
  const upload = await sendInParts(file, {
    name: item.path.split("/").pop() ?? "file",
    fingerprint: item.id,
    onProgress: (sent) => changeItems(new Set([item.id]), { sent }),
  });
  const place = item.kind === "video" ? "videos" : "imports";
  // What an archive or a list of annotations holds is shown before anything of it is written.
  const body = item.kind === "video" ? { upload } : { upload, dry_run: true, strip_location: item.strips };
  const job = await send<Job>("POST", `/api/v1/datasets/${item.dataset}/${place}/`, JSON.stringify(body), {
    "Content-Type": "application/json",
    "Idempotency-Key": item.id,
  });
  changeItems(new Set([item.id]), {
    state: "done",
    sent: item.size,
    job: item.kind === "video" ? undefined : job.id,
  });
  void dropFile(item.id);
  refresh(item.project);
  const { project, dataset, path, from } = item;
  if (item.kind !== "video") useUploads.setState({ arrived: { project, dataset, job: job.id, path, from } });
}

function refresh(project: string): void {
  refresher.soon(keys.project(project), ["activity"]);
  if (!useUploads.getState().items.some(isUnderWay)) refresher.now();
}
