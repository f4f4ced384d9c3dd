import { expect, it } from "vitest";
import type { Filter } from "../gallery/filter";
import { asFilter, asQuery, isShown, type SavedFilter } from "./query";

const saved = (query: unknown) => ({ query: query as SavedFilter["query"] });

it("keeps what is filtered, and not how it is shown", () => {
  const filter: Filter = { label: ["a"], annotated: false, ordering: "random", seed: 7, size: "l" };
  expect(asQuery(filter)).toEqual({ label: ["a"], annotated: false, ordering: "random" });
  expect(asFilter(asQuery(filter) as SavedFilter["query"])).toEqual({
    label: ["a"],
    annotated: false,
    ordering: "random",
    seed: 1,
  });
});

it("knows the filter that is shown, in any order of its parts", () => {
  expect(
    isShown(saved({ split: "test", label: ["b", "a"] }), { label: ["a", "b"], split: "test", size: "s" }),
  ).toBe(true);
  expect(isShown(saved({ split: "test" }), { split: "test", ordering: "-id" })).toBe(true);
  expect(isShown(saved({ split: "test" }), { split: "train" })).toBe(false);
});

it("leaves out what this page does not know", () => {
  expect(asFilter({ later: "v", split: "test" } as unknown as SavedFilter["query"])).toEqual({
    split: "test",
  });
});
