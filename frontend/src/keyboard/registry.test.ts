import { expect, it } from "vitest";
import { pressed } from "./keys";
import { actionFor, conflicts, isMeant, type Shortcut } from "./registry";

const shortcut = (id: string, keys: string[], scope = "s"): Shortcut => ({
  id,
  scope,
  title: id,
  keys,
  run: () => undefined,
});
const press = (key: string, more = {}) =>
  pressed({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });

it("names keys one way", () => {
  expect(press("k", { ctrlKey: true })).toBe("Mod+K");
  expect(press("?", { shiftKey: true })).toBe("?");
  expect(press("ArrowLeft", { shiftKey: true })).toBe("Shift+ArrowLeft");
});

it("gives a key to what was opened last, and to the user's own choice", () => {
  const active = [shortcut("page", ["N"]), shortcut("dialog", ["N"])];
  expect(actionFor("N", active, {})?.id).toBe("dialog");
  expect(actionFor("M", active, { page: ["M"] })?.id).toBe("page");
});

it("finds keys that two actions of a place have", () => {
  expect(conflicts([shortcut("a", ["N"]), shortcut("b", ["N"])], {}).size).toBe(1);
  expect(conflicts([shortcut("a", ["N"]), shortcut("b", ["N"], "other")], {}).size).toBe(0);
});

it("leaves letters to fields, and to dialogs that are just opening", () => {
  const page = shortcut("page", ["O"]);
  expect(isMeant(page, false, false)).toBe(true);
  expect(isMeant(page, true, false)).toBe(false);
  expect(isMeant(page, false, true)).toBe(false);
  expect(isMeant({ ...page, inFields: true }, true, true)).toBe(true);
});
