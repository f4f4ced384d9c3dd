import { expect, test } from "vitest";
import { bestBalance, cheapest, rowAt } from "./thresholds";

const row = (threshold: number, right: number, wrong: number, f1: number | null) => ({
  threshold,
  right,
  wrong,
  left: 0,
  missed: 10 - right,
  precision: right + wrong ? right / (right + wrong) : null,
  recall: right / 10,
  f1,
});
const rows = [row(0, 10, 10, 0.67), row(0.5, 9, 1, 0.9), row(0.9, 5, 0, 0.67), row(1, 0, 0, null)];

test("a score between two rows has the counts of the lower one", () => {
  expect(rowAt(rows, 0.7)?.threshold).toBe(0.5);
  expect(rowAt(rows, 1)?.threshold).toBe(1);
  expect(rowAt([], 0.5)).toBeUndefined();
});

test("the best balance has the largest F1", () => {
  expect(bestBalance(rows)?.threshold).toBe(0.5);
  expect(bestBalance([])).toBeUndefined();
});

test("the cheapest threshold leaves the fewest answers to a person", () => {
  expect(cheapest(rows, 0.85)?.threshold).toBe(0.5);
  expect(cheapest(rows, 0.99)?.threshold).toBe(0.9);
  expect(cheapest([row(0, 0, 4, 0)], 0.5)).toBeUndefined();
});
