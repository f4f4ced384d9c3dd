import { send } from "../api/client";
import { keys } from "../api/keys";
import type { Annotation } from "../api/types";
import { queryClient } from "../app/queries";
import { did, performs } from "../history/history";
import { post } from "../outbox/outbox";
import { adopted, annotator, asBody, type Mark, marksOf } from "./store";

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

/** Shows the new annotations at once, sends them, and remembers how to go back. */
export function change(project: string, filename: string, title: string, marks: Mark[]): void {
  const { image, marks: before } = annotator.getState();
  annotator.setState({ marks });
  const payload = { project, image, filename };
  did({
    title,
    project,
    undo: { kind: "annotations", payload: { ...payload, marks: before } },
    redo: { kind: "annotations", payload: { ...payload, marks } },
  });
  void save({ ...payload, marks }, title);
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
  revisions.set(image, answer.revision);
  const state = annotator.getState();
  if (state.image === image) annotator.setState({ marks: adopted(state.marks, marksOf(answer.annotations)) });
  await queryClient.invalidateQueries({ queryKey: keys.images(project) });
}

performs<Payload>("annotations", async (payload) => {
  const state = annotator.getState();
  if (state.image === payload.image) annotator.setState({ marks: payload.marks, selected: null });
  if (!revisions.has(payload.image)) {
    const { revision } = await send<Answer>("GET", addressOf(payload.image));
    revisions.set(payload.image, revision);
  }
  void save(payload, "undo");
  return undefined;
});
