import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { actionIds } from "./catalog";
import { type Action, allRivals, assigned, isUsable, keysNow, rivals } from "./remap";

const action = (id: string, page: string, ...keys: string[]): Action => ({ id, page, title: id, keys });
const next = action("next", "gallery", "N", "ArrowRight");
const find = action("find", "everywhere", "Mod+K");
const take = action("take", "review", "N");
const none = action("none", "gallery", "X");
const actions = [next, find, take, none];

it("finds actions that have a key in the same place, or everywhere", () => {
  expect(rivals(actions, {}, none, "N")).toEqual([next]);
  expect(rivals(actions, {}, none, "Mod+K")).toEqual([find]);
  expect(rivals(actions, {}, find, "N")).toEqual([next, take]);
  expect(rivals(actions, { next: ["J"] }, none, "N")).toEqual([]);
  expect(allRivals(actions, {}).size).toBe(0);
  expect([...allRivals(actions, { none: ["N"] }).keys()]).toEqual(["next", "none"]);
});

it("takes a key from the action that had it, and forgets a choice that is the delivered one", () => {
  expect(assigned(actions, {}, none, "N")).toEqual({ none: ["N"], next: ["ArrowRight"] });
  expect(assigned(actions, { none: ["N"] }, none, "X")).toEqual({ none: null });
});

it("leaves no conflict behind, in any order of keys", () => {
  const presses = fc.array(
    fc.tuple(fc.constantFrom(...actions), fc.constantFrom("N", "X", "Mod+K", "J", "ArrowRight")),
  );
  fc.assert(
    fc.property(presses, (all) => {
      let own: Record<string, string[]> = {};
      for (const [chosen, keys] of all) {
        const changed = Object.entries({ ...own, ...assigned(actions, own, chosen, keys) });
        own = Object.fromEntries(changed.filter((entry): entry is [string, string[]] => entry[1] !== null));
        expect(keysNow(chosen, own)).toContain(keys);
      }
      expect(allRivals(actions, own).size).toBe(0);
    }),
  );
});

it("refuses modifiers alone and what browsers keep", () => {
  expect(["Shift", "Mod+W", "Tab", "F5"].map(isUsable)).toEqual([false, false, false, false]);
  expect(["A", "+", "Mod+Shift+Z", "Alt+ArrowUp"].map(isUsable)).toEqual([true, true, true, true]);
});

it("lists every action of the studio", () => {
  const found = new Set<string>();
  for (const name of readdirSync("src", { recursive: true, encoding: "utf8" })) {
    if (!/\.tsx?$/.test(name) || name.includes(".test.") || name.includes("catalog")) continue;
    const text = readFileSync(join("src", name), "utf8");
    for (const [, id] of text.matchAll(/(?:useShortcut\(\{\s*id:|\bstep\()\s*"([\w.]+)"/g))
      if (id) found.add(id);
  }
  expect(found.size).toBeGreaterThan(30);
  expect([...found].filter((id) => !actionIds.has(id))).toEqual([]);
});
