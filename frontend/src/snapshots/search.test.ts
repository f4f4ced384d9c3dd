import { expect, it } from "vitest";
import { changeOf, firstDifference, labelRows, readSnapshotSearch } from "./search";

it("reads addresses and leaves out what is odd", () => {
  expect(readSnapshotSearch({ split: "half", label: 3, with: "s", difference: "moved" })).toEqual({
    split: undefined,
    label: undefined,
    with: "s",
    difference: "moved",
  });
});

it("makes rows of counts, also of labels that a split does not have", () => {
  expect(labelRows(["good", "bad"], { good: { train: 3, test: 1 } })).toEqual([
    { label: "good", train: 3, validation: 0, test: 1, total: 4 },
    { label: "bad", train: 0, validation: 0, test: 0, total: 0 },
  ]);
});

it("says how a count changed", () => {
  expect([changeOf(2, 5), changeOf(5, 2), changeOf(2, 2)]).toEqual(["+3", "−3", "0"]);
});

it("begins with a difference that there is", () => {
  expect(firstDifference({ added: 0, removed: 0, relabelled: 2, moved: 1 })).toBe("relabelled");
  expect(firstDifference({ added: 0, removed: 0, relabelled: 0, moved: 0 })).toBe("added");
});
