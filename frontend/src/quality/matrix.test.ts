import { expect, test } from "vitest";
import { cellOf, confusions, heat, matching, nextCell } from "./matrix";

const MATRIX = [
  [8, 2, 0],
  [0, 5, 0],
  [1, 4, 5],
];

test("what is confused most comes first, with its share of the label", () => {
  expect(confusions(MATRIX).map(({ row, column, count }) => [row, column, count])).toEqual([
    [2, 1, 4],
    [0, 1, 2],
    [2, 0, 1],
  ]);
  expect(confusions(MATRIX)[0]?.share).toBeCloseTo(0.4);
});

test("a cell is as dark as its share of the row", () => {
  expect(heat([8, 2, 0], 1)).toBeCloseTo(0.2);
  expect(heat([0, 0], 0)).toBe(0);
});

test("the row and the column of nothing have no name", () => {
  expect(cellOf(["nut", "bolt"], 0, 2)).toEqual({ outcome: "cell", label: "nut", predicted: undefined });
  expect(cellOf(["nut", "bolt"], 2, 1)).toEqual({ outcome: "cell", label: undefined, predicted: "bolt" });
});

test("arrows jump over empty cells and stay at the edge", () => {
  const all = [0, 1, 2];
  expect(nextCell(MATRIX, all, all, [0, 0], "ArrowDown")).toEqual([2, 0]);
  expect(nextCell(MATRIX, all, all, [0, 1], "ArrowRight")).toEqual([0, 1]);
  expect(nextCell(MATRIX, all, [0, 2], [2, 0], "ArrowRight")).toEqual([2, 2]);
  expect(nextCell(MATRIX, all, all, [0, 0], "Enter")).toBeNull();
});

test("labels are found by a part of their name", () => {
  expect(matching(["Nut", "bolt", "nutcracker"], " nut ")).toEqual([0, 2]);
});
