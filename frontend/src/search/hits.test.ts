import { expect, it } from "vitest";
import { addressOf, readSearch } from "./hits";

it("reads addresses", () => {
  expect(readSearch({ q: 2024, kind: "cat", project: "" })).toEqual({
    q: "2024",
    kind: undefined,
    project: undefined,
  });
  expect(readSearch({ q: "a".repeat(200), kind: "image" }).q).toHaveLength(100);
});

it("leads to where a hit is seen", () => {
  const hit = { id: "h", project: "p", dataset: null };
  expect(addressOf("project", hit)).toBe("/projects/h");
  expect(addressOf("image", hit)).toBe("/projects/p/images/h");
  expect(addressOf("label", hit)).toBe("/projects/p/images?label=%5B%22h%22%5D");
  expect(addressOf("snapshot", hit)).toBe("/projects/p/snapshots/h");
  expect(addressOf("training", hit)).toBe("/projects/p/trainings/h");
  expect(addressOf("model", hit)).toBe("/projects/p/models/h");
  expect(addressOf("video", hit)).toBe("/projects/p/videos/h");
});
