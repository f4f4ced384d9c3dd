import { expect, it } from "vitest";
import { byLabel, scoreText } from "./guesses";

it("sums up the boxes of a label, so that the buttons stay in view", () => {
  const rows = byLabel([
    { label: "red", score: 0.324 },
    { label: "white", score: 0.97 },
    { label: "red", score: 0.26 },
    { label: "red", score: 0.3 },
  ]);
  expect(rows).toEqual([
    { label: "white", count: 1, lowest: 97, highest: 97 },
    { label: "red", count: 3, lowest: 26, highest: 32 },
  ]);
  expect(rows.map(scoreText)).toEqual(["97 %", "26–32 %"]);
});

it("has no score to show where nobody gave one", () => {
  const [row] = byLabel([{ label: "red", score: null }]);
  expect(row && scoreText(row)).toBe("");
});
