import { expect, it } from "vitest";
import { hotkeys } from "./hotkeys";

it("gives digits by place, around keys that were chosen", () => {
  const keys = hotkeys([
    { id: "a", name: "good" },
    { id: "b", name: "bad", hotkey: "1" },
    { id: "c", name: "odd", hotkey: "q" },
    { id: "d", name: "new" },
  ]);
  expect(Object.fromEntries(keys)).toEqual({ a: "2", b: "1", c: "Q", d: "3" });
});

it("gives a digit the key that it is, unless another label has that one", () => {
  const names = ["0", "1", "2", "hand"].map((name) => ({ id: name, name }));
  expect(Object.fromEntries(hotkeys(names))).toEqual({ "0": "0", "1": "1", "2": "2", hand: "3" });
  const keys = hotkeys([
    { id: "a", name: "1" },
    { id: "b", name: "cat", hotkey: "1" },
  ]);
  expect(Object.fromEntries(keys)).toEqual({ a: "2", b: "1" });
});
