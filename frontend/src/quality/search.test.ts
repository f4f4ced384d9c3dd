import { expect, test } from "vitest";
import { behindOf, outcomeQuery, readQualitySearch, withBehind } from "./search";

test("what is odd in an address is left out", () => {
  expect(readQualitySearch({ view: "films", outcome: "cell", label: 12, min: 2, sort: "recall" })).toEqual({
    outcome: "cell",
    label: "12",
    sort: "recall",
  });
});

test("the panel opens on a cell and closes without a trace", () => {
  const page = readQualitySearch({ view: "confusion", shares: true });
  const open = withBehind({ ...page, image: "x" }, { outcome: "cell", label: "nut", predicted: "bolt" });
  expect(open).toEqual({ ...page, outcome: "cell", label: "nut", predicted: "bolt" });
  expect(behindOf(open)).toMatchObject({ outcome: "cell", label: "nut" });
  expect(withBehind(open, null)).toEqual(page);
  expect(behindOf(page)).toBeNull();
});

test("the query has what is wanted and nothing else", () => {
  expect(outcomeQuery({ outcome: "all", min: 0.5, max: 0.6 }, 60, 60)).toEqual({
    min_score: 0.5,
    max_score: 0.6,
    offset: 60,
    page_size: 60,
  });
});
