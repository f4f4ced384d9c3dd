import { expect, test } from "vitest";
import {
  behindBin,
  behindPoint,
  gapOf,
  nearestPoint,
  precisionRecall,
  rangeOf,
  rates,
  roc,
  scored,
} from "./curves";

test("a detector's precision is at equal steps of recall", () => {
  const per_class = [
    { label: "nut", boxes: 2, ap: 0.5, ap50: 0.5, ar: 0.5, precision_at_recall: [1, 0.8, 0.4] },
  ];
  expect(precisionRecall({ task: "detection", per_class }, {}, "nut")).toEqual([
    { x: 0, y: 1 },
    { x: 0.5, y: 0.8 },
    { x: 1, y: 0.4 },
  ]);
  expect(precisionRecall({ task: "detection", per_class }, {}, "bolt")).toBeNull();
});

test("a classifier's has the score of each point, and a label without images no curve", () => {
  const row = {
    label: "nut",
    roc: { false_positive_rate: [0, 1], true_positive_rate: [0, 1], auc: 0.5 },
    precision_recall: { precision: [1], recall: [0.3], threshold: [0.9], average_precision: 0.5 },
    thresholds: [],
  };
  const curves = { per_class: [row, { ...row, label: "bolt", roc: null, precision_recall: null }] };
  expect(precisionRecall({ task: "classification" }, curves, "nut")).toEqual([{ x: 0.3, y: 1, score: 0.9 }]);
  expect(roc(curves, "nut")?.area).toBe(0.5);
  expect(roc(curves, "bolt")).toBeNull();
});

test("a point opens the images from its score on, and what is above all scores opens none", () => {
  const threshold = [null, 0.7, 0.2];
  const curve = { false_positive_rate: [0, 0, 1], true_positive_rate: [0, 1, 1], threshold, auc: 1 };
  expect(rates(curve)?.points.map(({ score }) => score)).toEqual([undefined, 0.7, 0.2]);
  // Evaluations of earlier versions kept no scores.
  const { threshold: _, ...old } = curve;
  expect(rates(old)?.points.map(({ score }) => score)).toEqual([undefined, undefined, undefined]);
  expect(scored({ precision: [1], recall: [0.5], threshold: [0.9], average_precision: 0.5 })).toEqual([
    { x: 0.5, y: 1, score: 0.9 },
  ]);
  expect(behindPoint("nut", 0.7, "classification")).toEqual({ outcome: "all", scoreOf: "nut", min: 0.7 });
  expect(behindPoint("nut", 0.7, "detection")).toEqual({ outcome: "all", predicted: "nut", threshold: 0.7 });
  const bin = { from: 0.8, to: 1, count: 1, confidence: 0.9, accuracy: 1 };
  expect(behindBin("nut", bin)).toEqual({
    outcome: "all",
    scoreOf: "nut",
    threshold: 0.8,
    min: 0.8,
    max: 1,
  });
});

test("the pointer finds the nearest point", () => {
  const points = [
    { x: 0, y: 1 },
    { x: 0.4, y: 0.8 },
    { x: 1, y: 0.1 },
  ];
  expect(nearestPoint(points, 0.6)).toBe(1);
});

test("bins meet without sharing an image, and say whether it is too sure", () => {
  const bin = { from: 0.8, to: 0.9, count: 10, confidence: 0.85, accuracy: 0.6 };
  expect(gapOf([bin])).toBeCloseTo(0.25);
  expect(gapOf([])).toBe(0);
  expect(rangeOf(bin).max).toBeLessThan(0.9);
  expect(rangeOf({ ...bin, from: 0.9, to: 1 })).toEqual({ min: 0.9, max: 1 });
});
