import { expect, it } from "vitest";
import { filterOf, readListSearch } from "./listSearch";

it("reads what it knows of an address", () => {
  expect(readListSearch({ state: "failed", by: "ada", since: "week", q: 7, other: 1 })).toEqual({
    state: "failed",
    by: "ada",
    since: "week",
    q: "7",
  });
  expect(readListSearch({ state: "lost", since: "ever" })).toEqual({});
});

it("asks for the same list within an hour", () => {
  const now = Date.parse("2026-11-26T21:10:00Z");
  expect(filterOf({ since: "day" }, now)).toEqual({ created_after: "2026-11-25T21:00:00.000Z" });
  expect(filterOf({ since: "day" }, now + 60_000)).toEqual(filterOf({ since: "day" }, now));
  expect(filterOf({ state: "running", by: "ada", q: "x" }, now)).toEqual({
    state: "running",
    created_by: "ada",
    name: "x",
  });
});
