import { expect, test } from "vitest";
import { foundOf, labelRows, rightOf, sortRows, wilson } from "./figures";

const row = (label: string, score: number | null, count = 10) => ({
  label,
  count,
  precision: score,
  recall: score,
  score,
});

test("the interval is Wilson's", () => {
  const [low, high] = wilson(94, 100);
  expect(low).toBeCloseTo(0.875, 3);
  expect(high).toBeCloseTo(0.9722, 3);
  expect(wilson(0, 0)).toEqual([0, 1]);
});

test("a classifier is right on so many of so many", () => {
  const metrics = { task: "classification" as const, accuracy: 0.94, count: 100 };
  expect(rightOf({ ...metrics, accuracy_interval: [0.91, 0.97] })).toEqual({
    part: 94,
    all: 100,
    low: 91,
    high: 97,
  });
  expect(rightOf({ task: "classification" })).toBeNull();
});

test("a detector's false alarms follow from its precision", () => {
  const found = foundOf({ task: "detection", boxes: 50, recall: 0.8, precision: 0.5 });
  expect(found?.found.part).toBe(40);
  expect(found?.alarms).toBe(40);
  expect(foundOf({ task: "detection", boxes: 50, recall: 0, precision: 0 })?.alarms).toBe(0);
});

test("a detector's interval is the studio's, which knows which boxes are of one image", () => {
  const metrics = { task: "detection" as const, boxes: 50, recall: 0.8, precision: 0.5 };
  expect(foundOf({ ...metrics, recall_interval: [0.55, 0.93] })?.found).toMatchObject({ low: 55, high: 93 });
  expect(foundOf({ ...metrics, recall_interval: null })?.found).toMatchObject({ low: 67, high: 89 });
});

test("a label without test images has no figures", () => {
  const per_class = [{ label: "nut", precision: 0, recall: 0, f1: 0, support: 0 }];
  expect(labelRows({ task: "classification", per_class })[0]).toMatchObject({ score: null, recall: null });
});

test("the worst label comes first, and what was not measured last in both directions", () => {
  const rows = [row("a", 0.9), row("b", null, 0), row("c", 0.4), row("d", 0.4)];
  const names = (isDown: boolean) => sortRows(rows, "score", isDown, "en").map(({ label }) => label);
  expect(names(false)).toEqual(["c", "d", "a", "b"]);
  expect(names(true)).toEqual(["a", "c", "d", "b"]);
  expect(sortRows([row("10", 1), row("9", 1)], "label", false, "en")[0]?.label).toBe("9");
});
