import { expect, it } from "vitest";
import { bestOf, confirmedLabels, haveConflict, queryOf, readDuplicatesSearch } from "./kinds";

const copy = (id: string, more = {}) => ({
  id,
  width: 10,
  height: 10,
  size: 100,
  created_at: "2026-01-02T00:00:00Z",
  annotations: [] as { confirmed: boolean; label: string }[],
  ...more,
});
const good = [{ confirmed: true, label: "good" }];

it("keeps the labelled copy, then the one with most pixels, then the largest file, then the earliest", () => {
  expect(bestOf([copy("a", { width: 99 }), copy("b", { annotations: good })])?.id).toBe("b");
  expect(bestOf([copy("a"), copy("b", { width: 20 })])?.id).toBe("b");
  expect(bestOf([copy("a"), copy("b", { size: 200 })])?.id).toBe("b");
  expect(bestOf([copy("a"), copy("b", { created_at: "2026-01-01T00:00:00Z" })])?.id).toBe("b");
  expect(bestOf([])).toBeUndefined();
});

it("sees a conflict only between confirmed labels", () => {
  const bad = [{ confirmed: true, label: "bad" }];
  const guess = [{ confirmed: false, label: "bad" }];
  expect(haveConflict([copy("a", { annotations: good }), copy("b", { annotations: bad })])).toBe(true);
  expect(haveConflict([copy("a", { annotations: good }), copy("b", { annotations: guess })])).toBe(false);
  expect(haveConflict([copy("a", { annotations: good }), copy("b")])).toBe(false);
  expect(confirmedLabels(copy("a", { annotations: [...good, ...good, ...guess] }))).toEqual(["good"]);
});

it("reads addresses, and asks for what is open unless all that was kept is wanted", () => {
  expect(readDuplicatesSearch({ kind: "odd", dataset: 3 })).toEqual({ dataset: undefined, kind: undefined });
  expect(readDuplicatesSearch({ kind: "exact", dataset: "d" })).toEqual({ dataset: "d", kind: "exact" });
  expect(queryOf("leaks")).toEqual({ is_kept: "false", is_leak: "true" });
  expect(queryOf("kept")).toEqual({ is_kept: "true" });
});
