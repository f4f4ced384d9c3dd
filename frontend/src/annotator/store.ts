import { createStore, type StoreApi } from "zustand";
import type { Annotation, Box } from "../api/types";
import { boxOf, type Point, rounded, type Size, type View } from "./geometry";

/** An annotation while it is worked on. `id` is the server's, or one of our own until it has answered. */
export interface Mark {
  id: string;
  label: string;
  box: Box | null;
  confirmed: boolean;
  origin: Annotation["origin"];
  score: number | null;
  isHidden?: boolean;
  isLocked?: boolean;
}

export type BoxMark = Mark & { box: Box };

/** What a pointer is doing. It is painted from here, never from React's state, so that no move is lost between two renders. */
export interface Draft {
  from: Point;
  to: Point;
  /** The first of two clicks was made: the box follows the pointer without a button pressed. */
  isTwoClicks: boolean;
}

export interface AnnotatorState {
  image: string;
  size: Size;
  marks: Mark[];
  selected: string | null;
  label: string | null;
  tool: "draw" | "select";
  view: View;
  draft: Draft | null;
  pointer: Point | null;
  hidesAll: boolean;
  crosshair: boolean;
  brightness: number;
  contrast: number;
}

export type AnnotatorStore = StoreApi<AnnotatorState>;

/** Lives as long as the tab: tool, zoom, crosshair and the chosen label stay from image to image. */
export const annotator: AnnotatorStore = createStore<AnnotatorState>(() => ({
  image: "",
  size: { width: 1, height: 1 },
  marks: [],
  selected: null,
  label: null,
  tool: "draw",
  view: { scale: 1, x: 0, y: 0 },
  draft: null,
  pointer: null,
  hidesAll: false,
  crosshair: true,
  brightness: 100,
  contrast: 100,
}));

export function marksOf(annotations: readonly Annotation[]): Mark[] {
  return annotations.map(({ id, label_id, box, confirmed, origin, score }) => ({
    id,
    label: label_id,
    box: box && box.length === 4 ? (box as Box) : null,
    confirmed,
    origin,
    score,
  }));
}

/** What a PUT says about them. */
export function asBody(marks: readonly Mark[]): { id?: string; label_id: string; box: Box | null; confirmed: boolean }[] {
  return marks.map(({ id, label, box, confirmed }) => ({
    ...(isOwn(id) ? {} : { id }),
    label_id: label,
    box: box ? rounded(box) : null,
    confirmed,
  }));
}

let count = 0;
const OWN = "new-";

export function ownId(): string {
  count += 1;
  return `${OWN}${count}`;
}

export function isOwn(id: string): boolean {
  return id.startsWith(OWN);
}

/** The server's ids for ours, in the order in which it lists what we sent. Local flags stay. */
export function adopted(marks: readonly Mark[], answer: readonly Mark[]): Mark[] {
  const known = new Set(marks.map(({ id }) => id));
  const fresh = answer.filter(({ id }) => !known.has(id));
  return marks.map((mark) => {
    if (!isOwn(mark.id)) return { ...mark, ...pick(answer.find(({ id }) => id === mark.id)) };
    const index = fresh.findIndex((other) => other.label === mark.label && isSame(other.box, mark.box));
    const [found] = index < 0 ? [] : fresh.splice(index, 1);
    return found ? { ...mark, ...pick(found), id: found.id } : mark;
  });
}

function pick(mark: Mark | undefined): Partial<Mark> {
  return mark ? { origin: mark.origin, score: mark.score, confirmed: mark.confirmed } : {};
}

function isSame(one: Box | null, other: Box | null): boolean {
  if (!one || !other) return one === other;
  return one.every((edge, place) => Math.abs(edge - (other[place] ?? 0)) < 0.02);
}

export function draftBox({ from, to }: Draft, size: Size): Box {
  return boxOf(from, to, size);
}
