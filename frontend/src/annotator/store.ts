import { createStore, type StoreApi } from "zustand";
import { uuid } from "../api/ids";
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

/** What the live model says that a suggestion shows. */
export interface BoxGuess {
  label: string;
  confidence: number;
}

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
  /** Of suggestions, by their id. */
  guesses: ReadonlyMap<string, BoxGuess>;
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
  guesses: new Map(),
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

/** A suggestion as it is shown and accepted: with what the live model says of it, where that knows better. */
export function asShown(mark: Mark, guesses: ReadonlyMap<string, BoxGuess>): Mark {
  const guess = mark.confirmed ? undefined : guesses.get(mark.id);
  return guess ? { ...mark, label: guess.label, score: guess.confidence } : mark;
}

/** What a PUT says about them. New ones bring their own ids, so undo and redo speak of the same annotation. */
export function asBody(
  marks: readonly Mark[],
): { id: string; label: string; box: Box | null; confirmed: boolean }[] {
  return marks.map(({ id, label, box, confirmed }) => ({
    id,
    label,
    box: box ? rounded(box) : null,
    confirmed,
  }));
}

/** What such a body says, while the server has not answered it. */
export function marksOfBody(body: ReturnType<typeof asBody>): Mark[] {
  return body.map((mark) => ({ ...mark, origin: "human", score: null }));
}

/** Whether both say the same of an image, whatever the ids. */
export function saysTheSame(one: readonly Mark[], other: readonly Mark[]): boolean {
  const said = (marks: readonly Mark[]) => JSON.stringify(asBody(marks).map((mark) => ({ ...mark, id: "" })));
  return said(one) === said(other);
}

export const ownId = uuid;

/** With what the server says of who made each; what was hidden or locked here stays so. */
export function adopted(marks: readonly Mark[], answer: readonly Mark[]): Mark[] {
  const said = new Map(answer.map((mark) => [mark.id, mark]));
  return marks.map((mark) => {
    const found = said.get(mark.id);
    return found ? { ...mark, origin: found.origin, score: found.score, confirmed: found.confirmed } : mark;
  });
}

export function draftBox({ from, to }: Draft, size: Size): Box {
  return boxOf(from, to, size);
}
