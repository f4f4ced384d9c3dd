import { describe, expect, it } from "vitest";
import { merged } from "./merge";
import type { Mark } from "./store";

function mark(id: string, box: Mark["box"] = [0, 0, 10, 10], label = "screw"): Mark {
  return { id, label, box, confirmed: true, origin: "human", score: null };
}
const ids = (marks: readonly Mark[] | null) => marks?.map(({ id }) => id);

describe("taking a change back", () => {
  it("takes only one's own box, not the one that another drew after it", () => {
    expect(ids(merged([mark("mine")], [], [mark("mine"), mark("theirs")]))).toEqual(["theirs"]);
  });

  it("brings a removed box back beside what another drew", () => {
    expect(ids(merged([], [mark("mine")], [mark("theirs")]))).toEqual(["theirs", "mine"]);
  });

  it("moves a box back", () => {
    const old = mark("a", [1, 1, 5, 5]);
    expect(merged([mark("a")], [old], [mark("a"), mark("b")])?.[0]?.box).toEqual([1, 1, 5, 5]);
  });

  it("leaves a box that another has moved since", () => {
    expect(merged([mark("a")], [], [mark("a", [3, 3, 9, 9])])).toBeNull();
  });

  it("takes what the server has rounded for the same", () => {
    expect(merged([mark("a", [0.004, 0, 10, 10])], [], [mark("a", [0, 0, 10, 10])])).toEqual([]);
  });

  it("does not put a second label beside the one that another has given", () => {
    expect(merged([mark("a", null)], [mark("b", null, "nut")], [mark("c", null, "nail")])).toBeNull();
  });

  it("gives the label before back", () => {
    expect(ids(merged([mark("a", null)], [mark("b", null, "nut")], [mark("a", null)]))).toEqual(["b"]);
  });

  it("takes one of several labels back where the others had been there before, under ids of the server", () => {
    const left = [mark("x", null, "nut"), mark("mine", null)];
    const now = [mark("a", null, "nut"), mark("mine", null)];
    expect(ids(merged(left, [mark("x", null, "nut")], now))).toEqual(["a"]);
  });

  it("gives one of several labels back that was taken away", () => {
    const [nut, nail] = [mark("x", null, "nut"), mark("y", null, "nail")];
    expect(ids(merged([nut], [nut, nail], [mark("a", null, "nut")]))).toEqual(["a", "y"]);
  });
});
