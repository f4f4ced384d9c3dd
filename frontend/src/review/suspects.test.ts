import { expect, it } from "vitest";
import { sizeBeside } from "./suspects";

it("asks for more than what was left for later", () => {
  expect(sizeBeside(0)).toBe(60);
  for (const later of [1, 55, 56, 60, 119, 300, 400])
    expect(sizeBeside(later)).toBeGreaterThanOrEqual(later + 5);
  expect(sizeBeside(55)).toBe(60);
  expect(sizeBeside(56)).toBe(120);
  expect(sizeBeside(10_000)).toBe(500);
});
