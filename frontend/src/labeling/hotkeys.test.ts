import { expect, it } from "vitest";
import { hotkeys } from "./hotkeys";

it("gives digits by place, around keys that were chosen", () => {
  const keys = hotkeys([{ id: "a" }, { id: "b", hotkey: "1" }, { id: "c", hotkey: "q" }, { id: "d" }]);
  expect(Object.fromEntries(keys)).toEqual({ a: "2", b: "1", c: "Q", d: "3" });
});
