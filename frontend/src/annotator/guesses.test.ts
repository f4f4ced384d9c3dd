import { expect, it } from "vitest";
import { asShown, type Mark } from "./store";

const mark = (change: Partial<Mark>): Mark => ({
  id: "m",
  label: "cat",
  box: [0, 0, 9, 9],
  confirmed: false,
  origin: "model",
  score: 0.6,
  ...change,
});
const guesses = new Map([["m", { label: "dog", confidence: 0.9 }]]);

it("shows a suggestion as the live model sees it, and nothing else", () => {
  expect(asShown(mark({}), guesses)).toMatchObject({ label: "dog", score: 0.9, confirmed: false });
  expect(asShown(mark({ confirmed: true }), guesses)).toMatchObject({ label: "cat", score: 0.6 });
  expect(asShown(mark({ id: "other" }), guesses)).toMatchObject({ label: "cat", score: 0.6 });
});
