import { expect, it } from "vitest";
import {
  corrected,
  type Guess,
  type GuessPage,
  imagesByLabels,
  isChosen,
  labelsWith,
  labelsWithoutImages,
  openGuesses,
  rightOf,
} from "./guesses";
import { chosenFrom } from "./search";

const guess = (id: string, label = "cat") =>
  ({ image: { id }, label, labels: [{ label, confidence: 0.9 }], confidence: 0.9 }) as Guess;
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

it("chooses what reaches the confidence, until somebody says otherwise", () => {
  const sure = guess("a");
  const unsure = { ...guess("b"), confidence: 0.25 };
  const choose = (least: number | null, choices: [string, boolean][] = []) =>
    [sure, unsure].map((one) => isChosen(one, new Map(choices), least));
  expect(choose(0.9)).toEqual([true, false]);
  expect(choose(null)).toEqual([false, false]);
  expect(
    choose(0.9, [
      ["a", false],
      ["b", true],
    ]),
  ).toEqual([false, true]);
});

it("chooses from the least confidence of the address on, and none where the least confident come first", () => {
  expect(chosenFrom("most_confident", undefined)).toBe(0.9);
  expect(chosenFrom("most_confident", 50)).toBe(0.5);
  expect(chosenFrom("least_confident", 50)).toBeNull();
});

it("makes one request for the same labels", () => {
  expect(imagesByLabels([guess("a"), guess("b", "dog"), guess("c")])).toEqual([
    { labels: ["cat"], images: ["a", "c"] },
    { labels: ["dog"], images: ["b"] },
  ]);
});

it("corrects one label of several, and keeps what is said of the others", () => {
  const more = corrected(guess("a"), labelsWith(guess("a"), "dog"));
  expect(more.labels).toEqual([
    { label: "cat", confidence: 0.9 },
    { label: "dog", confidence: 1 },
  ]);
  const none = corrected(guess("a"), labelsWith(guess("a"), "cat"));
  expect(imagesByLabels([none, more, guess("b")])).toEqual([
    { labels: [], images: ["a"] },
    { labels: ["cat", "dog"], images: ["a"] },
    { labels: ["cat"], images: ["b"] },
  ]);
  expect(corrected(guess("a"), undefined)).toEqual(guess("a"));
});

it("counts what it got right, where that says anything", () => {
  expect(rightOf({ accuracy: 0.8542, held_out: 48 })).toBe(41);
  expect(rightOf({ accuracy: null, held_out: 0 })).toBeNull();
});

it("knows which labels it never guesses", () => {
  const learned = { labels: [{ label: "a", images: 2, guesses: 0, held_out: 2, right: 2 }] };
  expect(labelsWithoutImages([{ id: "a" }, { id: "b" }], learned)).toEqual([{ id: "b" }]);
});
