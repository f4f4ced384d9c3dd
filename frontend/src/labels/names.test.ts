import { expect, it } from "vitest";
import { namesIn } from "./names";

it("takes each name of a pasted list once, and no empty ones", () => {
  expect(namesIn("scratch, dent,, good\n scratch ;")).toEqual(["scratch", "dent", "good"]);
  expect(namesIn("划痕、凹陷，良好；")).toEqual(["划痕", "凹陷", "良好"]);
  expect(namesIn(" , ")).toEqual([]);
});
