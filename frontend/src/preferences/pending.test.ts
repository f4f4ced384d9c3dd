import fc from "fast-check";
import { expect, it } from "vitest";
import { asBody, asPending, merged, type Pending, type Preferences, without } from "./pending";

it("keeps changes of different keys apart", () => {
  const pending = {
    ...asPending({ keys: { left: ["A"] } }),
    ...asPending({ keys: { right: ["D"] }, theme: "dark" }),
  };
  expect(pending).toEqual({ "keys.left": ["A"], "keys.right": ["D"], theme: "dark" });
  expect(asBody(pending)).toEqual({ keys: { left: ["A"], right: ["D"] }, theme: "dark" });
});

it("shows what is pending above what the server has, and leaves the rest of it", () => {
  const server: Preferences = { theme: "light", language: "de", keys: { left: ["Q"], up: ["W"] } };
  const pending = asPending({ theme: "dark", keys: { left: null } as unknown as Preferences["keys"] });
  expect(merged(server, pending)).toEqual({ theme: "dark", language: "de", keys: { up: ["W"] } });
});

it("forgets what has arrived, but not what was changed again meanwhile", () => {
  const sent: Pending = { theme: "dark", "keys.left": ["A"] };
  expect(without({ theme: "light", "keys.left": ["A"], language: "de" }, sent)).toEqual({
    theme: "light",
    language: "de",
  });
});

/** The server's side of it, as `accounts/preferences.py` does it. */
function received(kept: Preferences, body: ReturnType<typeof asBody>): Preferences {
  const keys = { ...kept.keys, ...body.keys };
  const all = { ...kept, ...body, keys };
  const held = Object.entries(all.keys).filter(([, value]) => value !== null);
  return { ...all, keys: Object.fromEntries(held) } as Preferences;
}

it("loses no change of two browsers that send theirs in any order", () => {
  const browser = fc.dictionary(
    fc.constantFrom("a", "b", "c"),
    fc.array(fc.constantFrom("Q", "W"), { maxLength: 2 }),
  );
  fc.assert(
    fc.property(browser, browser, fc.boolean(), (one, other, isOneFirst) => {
      const apart = Object.fromEntries(Object.entries(other).map(([id, value]) => [`x${id}`, value]));
      const bodies = [asBody(asPending({ keys: one })), asBody(asPending({ keys: apart }))];
      const last = (isOneFirst ? bodies : bodies.toReversed()).reduce(received, {} as Preferences);
      expect(merged(last, {}).keys).toEqual({ ...one, ...apart });
    }),
  );
});
