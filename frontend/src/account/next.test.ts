import { expect, it } from "vitest";
import { safeNext } from "./next";

it.each([
  ["/projects/1?x=2", "/projects/1?x=2"],
  ["//evil.example", "/"],
  ["/\\evil.example", "/"],
  ["https://evil.example", "/"],
  ["/\t/evil.example", "/"],
  ["/\n\\evil.example/x", "/"],
  [undefined, "/"],
])("after a login %s leads to %s", (next, found) => expect(safeNext(next)).toBe(found));
