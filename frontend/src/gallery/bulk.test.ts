import { expect, it } from "vitest";
import { asksFirst } from "./bulk";

it("asks before much is deleted, and before anything that does not come back", () => {
  expect(asksFirst(100, true)).toBe(false);
  expect(asksFirst(101, true)).toBe(true);
  expect(asksFirst(1, false)).toBe(true);
});
