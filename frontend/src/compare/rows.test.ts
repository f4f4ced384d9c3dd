import { describe, expect, it } from "vitest";
import type { Comparison, Pair } from "./queries";
import { labelRows, verdictOf } from "./rows";
import { idsOf, readCompareSearch } from "./search";

const pair = (difference: number, interval: [number, number], isSure: boolean): Pair => ({
  first: "a",
  second: "b",
  test: "mcnemar_exact",
  difference,
  interval,
  p_value: isSure ? 0.01 : 0.4,
  is_significant: isSure,
});

describe("verdictOf", () => {
  it("turns a loss into points that are lost, the smaller first", () => {
    const verdict = verdictOf(pair(-0.16, [-0.31, -0.03], true));
    expect(verdict.kind).toBe("worse");
    expect([verdict.points, verdict.from, verdict.to].map(Math.round)).toEqual([16, 3, 31]);
  });

  it("says that a gain may be luck, with an interval that reaches below zero", () => {
    const verdict = verdictOf(pair(0.02, [-0.03, 0.07], false));
    expect(verdict.kind).toBe("open");
    expect([verdict.from, verdict.to].map(Math.round)).toEqual([-3, 7]);
  });

  it("knows a gain, and no difference at all", () => {
    expect(verdictOf(pair(0.1, [0.02, 0.2], true)).kind).toBe("better");
    expect(verdictOf(pair(0, [-0.01, 0.01], false)).kind).toBe("same");
  });
});

describe("labelRows", () => {
  it("puts the labels first on which the models differ most", () => {
    const comparison = {
      models: [
        { recall_by_label: { cat: 0.9, dog: 0.9, bird: 0.5 } },
        { recall_by_label: { cat: 0.85, dog: 0.2 } },
      ],
    } as unknown as Comparison;
    expect(labelRows(comparison)).toEqual([
      { label: "dog", values: [0.9, 0.2] },
      { label: "cat", values: [0.9, 0.85] },
      { label: "bird", values: [0.5, null] },
    ]);
  });
});

describe("the address", () => {
  const id = (digit: string) => `${digit.repeat(8)}-0000-7000-8000-${digit.repeat(12)}`;

  it("keeps two to five different ids", () => {
    expect(idsOf(`${id("1")},${id("1")},x,${id("2")}`)).toEqual([id("1"), id("2")]);
    expect(idsOf("123456".split("").map(id).join()).length).toBe(5);
  });

  it("leaves out what is odd", () => {
    expect(readCompareSearch({ ids: "x", snapshot: 7, split: "all" })).toEqual({});
    expect(readCompareSearch({ ids: id("1"), split: "test" })).toEqual({ ids: id("1"), split: "test" });
  });
});
