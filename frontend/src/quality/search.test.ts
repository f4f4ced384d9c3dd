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

test("the images of a point of a curve are asked for by the score of its label", () => {
  const page = readQualitySearch({ view: "charts", of: "nut" });
  const open = withBehind(page, { outcome: "all", scoreOf: "nut", min: 0.25 });
  expect(readQualitySearch({ ...open })).toEqual(open);
  expect(withBehind(open, { outcome: "all", predicted: "nut", threshold: 0.5 })).toEqual({
    ...page,
    outcome: "all",
    predicted: "nut",
    threshold: 0.5,
  });
  expect(outcomeQuery({ outcome: "all", scoreOf: "nut", min: 0.25, threshold: 0.1 }, 0, 60)).toEqual({
    min_score: 0.25,
    score_of: "nut",
    threshold: 0.1,
    offset: 0,
    page_size: 60,
  });
});

test("the query has what is wanted and nothing else", () => {
  expect(outcomeQuery({ outcome: "all", min: 0.5, max: 0.6 }, 60, 60)).toEqual({
    min_score: 0.5,
    max_score: 0.6,
    offset: 60,
    page_size: 60,
  });
});
