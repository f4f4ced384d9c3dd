import { expect, test } from "vitest";
import { nextSteps } from "./next";

const known = {
  score: 0.9,
  classNames: ["nut", "bolt"],
  matrix: [
    [30, 4],
    [1, 25],
  ],
  notMeasured: [],
  tested: { nut: 34, bolt: 26 },
  learned: { nut: 100, bolt: 90 },
  suspects: 0,
  unlabelled: "d",
  haveSuggestions: false,
};
const kinds = (change: Partial<typeof known> | object) =>
  nextSteps({ ...known, ...change }).map(({ kind }) => kind);

test("two labels that are confused lead to their cell", () => {
  expect(nextSteps(known)[0]).toEqual({
    kind: "confused",
    label: "nut",
    predicted: "bolt",
    count: 4,
    row: 0,
    column: 1,
  });
});

test("labels that look wrong come first, and are looked for where nobody has", () => {
  expect(kinds({ suspects: 12 })[0]).toBe("suspects");
  expect(kinds({ suspects: null })).toContain("find-suspects");
  expect(kinds({ suspects: 0 })).not.toContain("find-suspects");
});

test("a label with few images to learn from is named, and one with few to measure", () => {
  expect(nextSteps({ ...known, learned: { nut: 100, bolt: 7 } })[0]).toEqual({
    kind: "few",
    label: "bolt",
    images: 7,
  });
  expect(kinds({ tested: { nut: 34, bolt: 5 } })).toContain("scarce");
  expect(kinds({ notMeasured: ["bolt"], tested: { nut: 34 } })).toContain("unmeasured");
  expect(kinds({ notMeasured: ["bolt"], tested: { nut: 34 } })).not.toContain("scarce");
});

test("what a detector sees where nothing is, is no confusion of two labels", () => {
  const matrix = [
    [30, 0, 9],
    [0, 25, 0],
    [12, 0, 0],
  ];
  expect(kinds({ matrix })).not.toContain("confused");
});

test("the mistakes of a detector come in the order of how many things they are of", () => {
  const matrix = [
    [30, 3, 12],
    [2, 25, 20],
    [5, 1, 0],
  ];
  expect(nextSteps({ ...known, matrix }).slice(0, 3)).toEqual([
    { kind: "missed", label: "bolt", count: 20 },
    { kind: "false-alarms", label: "nut", count: 5 },
    { kind: "confused", label: "nut", predicted: "bolt", count: 3, row: 0, column: 1 },
  ]);
});

test("a weak model learns more before it judges labels", () => {
  expect(kinds({ score: 0.06, suspects: null })[0]).toBe("weak");
  expect(kinds({ score: 0.06, suspects: null })).not.toContain("find-suspects");
  expect(kinds({ score: null, suspects: null })).toContain("find-suspects");
});

test("suggestions that wait are reviewed before others are made", () => {
  expect(kinds({ haveSuggestions: true })).toContain("suggestions");
  expect(kinds({ haveSuggestions: true })).not.toContain("find-suggestions");
});

test("suggestions are made where images have no label, and nowhere else", () => {
  expect(nextSteps(known).at(-1)).toEqual({ kind: "find-suggestions", dataset: "d" });
  expect(kinds({ unlabelled: null })).not.toContain("find-suggestions");
});
