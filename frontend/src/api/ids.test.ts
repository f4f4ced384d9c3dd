import { expect, it } from "vitest";
import { uuid } from "./ids";

it("makes ids that sort by time", () => {
  const ids = [1, 1000, Date.now(), Date.now() + 60_000].map((now) => uuid(now));
  expect(ids.toSorted()).toEqual(ids);
  for (const id of ids)
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
});

it("makes ids that sort by their order within a millisecond: boxes that were copied together stay in order", () => {
  const ids = Array.from({ length: 500 }, () => uuid(1000));
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(500);
});
