import { send } from "../api/client";
import { asStudioError } from "../api/errors";
import { keys } from "../api/keys";
import type { Annotation, StudioImage } from "../api/types";
import { queryClient } from "../app/queries";
import { amended, continued, did, NothingLeft, performs } from "../history/history";
import { lastWaiting, post } from "../outbox/outbox";
import { merged } from "./merge";
import { adopted, annotator, asBody, type Mark, marksOf, marksOfBody, saysTheSame } from "./store";

interface Answer {
  revision: number;
  annotations: Annotation[];
}

interface Payload {
  project: string;
  image: string;
  filename: string;
  marks: Mark[];
}

/** A step back or forth: what it goes to, and what it goes from, so that what others did meanwhile stays. */
interface Move extends Payload {
  from: Mark[];
}

type Listener = (moved: Payload) => void;

const listeners = new Set<Listener>();

/** Calls back for each image whose annotations an undo or a redo has changed. */
export function whenMoved(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The revision each image was last known at: the base of the next change. */
const revisions = new Map<string, number>();

export function noteRevision(image: string, revision: number): void {
  revisions.set(image, Math.max(revision, revisions.get(image) ?? 0));
}

export function addressOf(image: string): string {
  return `/api/v1/images/${image}/annotations/`;
}

/** What the outbox calls the annotations of an image. */
export function subjectOf(image: string): string {
  return `annotations:${image}`;
}

/** What one's own last change says of an image, while the server does not have it. */
export function waitingMarks(image: string): Mark[] | undefined {
  const body = lastWaiting(subjectOf(image))?.body;
  return Array.isArray(body) ? marksOfBody(body) : undefined;
}

/** Shows the new annotations at once, sends them, and remembers how to go back. */
export function change(
  project: string,
  filename: string,
  title: string,
  marks: Mark[],
  merges?: string,
): void {
  const { image, marks: before } = annotator.getState();
  // A key for the label that a box has, or to move it out of the image: there is nothing to take back.
  if (saysTheSame(before, marks)) return;
  annotator.setState({ marks });
  const payload = { project, image, filename };
  remember(payload, title, before, marks, merges);
  void save({ ...payload, marks }, title);
}

/** Presses of an arrow key within this time, in milliseconds, are one step. */
const TOGETHER = 1000;

/** Notes a change of annotations for undo and redo. Its title names the image: that may be gone from the screen by then. */
export function remember(
  { project, image, filename }: Omit<Payload, "marks">,
  title: string,
  before: Mark[],
  after: Mark[],
  merges?: string,
): void {
  const payload = { project, image, filename };
  const last = merges ? continued(merges, TOGETHER) : undefined;
  const first = last ? (last.undo.payload as Move).marks : before;
  const step = {
    title: `${title} (${filename})`,
    project,
    undo: { kind: "annotations", payload: { ...payload, marks: first, from: after } satisfies Move },
    redo: { kind: "annotations", payload: { ...payload, marks: after, from: first } satisfies Move },
    ...(merges ? { merges, at: Date.now() } : {}),
  };
  if (last) amended(step);
  else did(step);
}

export async function save({ project, image, filename, marks }: Payload, title: string): Promise<void> {
  const answer = (await post({
    project,
    subject: subjectOf(image),
    method: "PUT",
    address: addressOf(image),
    body: asBody(marks),
    revision: revisions.get(image) ?? null,
    title: `${filename}: ${title}`,
  })) as Answer;
  const { revision, annotations } = answer;
  revisions.set(image, revision);
  // Who comes back to this image sees it with this change at once: one on top of what was read before would take it back.
  queryClient.setQueryData<StudioImage>(keys.image(project, image), (read) =>
    read && read.revision < revision ? { ...read, revision, annotations } : read,
  );
  const state = annotator.getState();
  if (state.image === image) annotator.setState({ marks: adopted(state.marks, marksOf(annotations)) });
  await queryClient.invalidateQueries({ queryKey: keys.images(project) });
}

performs<Move>("annotations", async ({ from, marks: to, ...payload }) => {
  const now = await currentOf(payload.image, from);
  const marks = merged(from ?? now, to, now);
  if (!marks) throw new NothingLeft();
  const state = annotator.getState();
  if (state.image === payload.image) annotator.setState({ marks, selected: null });
  for (const listener of listeners) listener({ ...payload, marks });
  void save({ ...payload, marks }, "undo");
  return undefined;
});

/** What is on an image now. While a change of one's own is on its way, that is what counts. */
async function currentOf(image: string, own: Mark[]): Promise<Mark[]> {
  const state = annotator.getState();
  const waiting = waitingMarks(image);
  if (waiting) return state.image === image ? state.marks : waiting;
  try {
    const { revision, annotations } = await send<Answer>("GET", addressOf(image));
    noteRevision(image, revision);
    return marksOf(annotations);
  } catch (problem) {
    // Without a connection the undo waits like any other change; the studio compares revisions when it gets it.
    if (!revisions.has(image) || !asStudioError(problem).isTemporary) throw problem;
    return own;
  }
}
