import { expect, it } from "vitest";
import {
  type Guess,
  type GuessPage,
  imagesByLabel,
  isChosen,
  labelsWithoutImages,
  openGuesses,
  rightOf,
  toggledFor,
  toggledWith,
} from "./guesses";

const guess = (id: string, label = "cat") => ({ image: { id }, label, confidence: 0.9 }) as Guess;
const page = (round: number, ...ids: string[]): GuessPage => ({
  round,
  version: 1,
  count: ids.length,
  next: null,
  results: ids.map((id) => guess(id)),
});
const idsOf = (guesses: Guess[]) => guesses.map(({ image }) => image.id);

it("shows each image once, without those that got a label since", () => {
  const pages = [page(0, "a", "b"), page(0, "b", "c")];
  expect(idsOf(openGuesses(pages, new Map()))).toEqual(["a", "b", "c"]);
  expect(idsOf(openGuesses(pages, new Map([["b", 0]])))).toEqual(["a", "c"]);
});

it("shows an image whose label was undone in a later round", () => {
  expect(idsOf(openGuesses([page(1, "a")], new Map([["a", 0]])))).toEqual(["a"]);
});

it("chooses all of the most confident but those taken out, and none of the least confident", () => {
  const toggled = toggledWith(new Set(), "a");
  expect(["a", "b"].map((id) => isChosen(id, toggled, "most_confident"))).toEqual([false, true]);
  expect(["a", "b"].map((id) => isChosen(id, toggled, "least_confident"))).toEqual([true, false]);
  expect(toggledWith(toggled, "a").size).toBe(0);
});

it("chooses all, or none, in both orders", () => {
  const guesses = [guess("a"), guess("b")];
  for (const order of ["most_confident", "least_confident"] as const)
    for (const all of [true, false]) {
      const toggled = toggledFor(guesses, order, all);
      expect(guesses.map(({ image }) => isChosen(image.id, toggled, order))).toEqual([all, all]);
    }
});

it("makes one request a label", () => {
  const groups = imagesByLabel([guess("a"), guess("b", "dog"), guess("c")]);
  expect([...groups]).toEqual([
    ["cat", ["a", "c"]],
    ["dog", ["b"]],
  ]);
});

it("counts what it got right, where that says anything", () => {
  expect(rightOf({ accuracy: 0.8542, held_out: 48 })).toBe(41);
  expect(rightOf({ accuracy: null, held_out: 0 })).toBeNull();
});

it("knows which labels it never guesses", () => {
  const learned = { labels: [{ label: "a", images: 2, guesses: 0, held_out: 2, right: 2 }] };
  expect(labelsWithoutImages([{ id: "a" }, { id: "b" }], learned)).toEqual([{ id: "b" }]);
});
