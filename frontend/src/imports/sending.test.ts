// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { uuid } from "../api/ids";
import { keyOf } from "./sending";

it("gives files that go together one key, in whichever order, and others another", () => {
  const [a, b, c] = [uuid(), uuid(), uuid()];
  expect(keyOf([a, b])).toBe(keyOf([b, a]));
  expect(keyOf([a, b])).not.toBe(keyOf([a, c]));
  expect(keyOf([a, b])).not.toBe(keyOf([a]));
  expect(keyOf([a])).toBe(a.replaceAll("-", ""));
});
