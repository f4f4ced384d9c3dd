import { expect, it } from "vitest";
import { revisionOf, summary } from "./conflicts";

it("reads the revision of what is there now", () => {
  expect(revisionOf({ errors: [], current: { revision: 4, annotations: [] } })).toBe(4);
  expect(revisionOf({ errors: [] })).toBeNull();
  expect(revisionOf(null)).toBeNull();
});

it("counts labels", () => {
  expect(summary(["dent", "scratch", "dent"])).toBe("2 × dent, scratch");
  expect(summary([])).toBe("–");
});
