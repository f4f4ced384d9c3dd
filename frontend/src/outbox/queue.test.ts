import { describe, expect, it } from "vitest";
import {
  type Command,
  confirmed,
  enqueue,
  failed,
  isSettled,
  marked,
  newest,
  restored,
  sendable,
} from "./queue";

function command(id: string, subject = "image", more: Partial<Command> = {}): Command {
  return {
    id,
    project: "p",
    subject,
    method: "PUT",
    address: `/${subject}`,
    body: id,
    revision: 1,
    title: id,
    at: 0,
    state: "waiting",
    ...more,
  };
}

describe("what waits for the server", () => {
  it("sends one change of an image after the other", () => {
    const queue = [command("a", "x", { state: "sending" }), command("b", "x"), command("c", "y")];
    expect(sendable(queue, 4).map(({ id }) => id)).toEqual(["c"]);
  });

  it("replaces a change that was not sent by a newer one of the whole", () => {
    const queue = enqueue([command("a")], command("b", "image", { revision: 1 }));
    expect(queue.map(({ id }) => id)).toEqual(["b"]);
  });

  it("never replaces what is on its way", () => {
    const queue = enqueue([command("a", "image", { state: "sending" })], command("b"));
    expect(queue.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("continues on the revision that the change before left", () => {
    const queue = confirmed([command("a"), command("b"), command("c", "other")], "a", 7);
    expect(queue.map(({ id, revision }) => [id, revision])).toEqual([
      ["b", 7],
      ["c", 1],
    ]);
  });

  it("holds back what follows a conflict", () => {
    const queue = marked([command("a"), command("b")], "a", { state: "conflict" });
    expect(sendable(queue, 4)).toEqual([]);
  });

  it("asks once about an image in conflict, with the newest that was made of it", () => {
    const conflict = { state: "conflict", theirs: "current" } as const;
    const queue = failed([command("a"), command("b"), command("c", "other")], "a", conflict);
    expect(queue.map(({ id, state, theirs }) => [id, state, theirs])).toEqual([
      ["b", "conflict", "current"],
      ["c", "waiting", undefined],
    ]);
    const later = enqueue(queue, command("d", "image", { revision: 9 }));
    expect(later[0]).toMatchObject({ id: "d", body: "d", state: "conflict", theirs: "current", revision: 1 });
    expect(later).toHaveLength(2);
  });

  it("sends what puts right a change that was refused, in its place", () => {
    const refused = { state: "refused", problem: "no" } as const;
    const made = failed([command("a"), command("b")], "a", refused);
    expect(made).toEqual([command("b")]);
    const [sent, ...rest] = enqueue(failed([command("a")], "a", refused), command("b"));
    expect(sent).toEqual(command("b"));
    expect(rest).toEqual([]);
    expect(failed([command("a")], "a", refused)[0]).toMatchObject(refused);
  });

  it("waits for what is sent or will be, and not for a person", () => {
    const stuck = [command("a", "x", { state: "conflict" }), command("b", "y", { state: "refused" })];
    expect([isSettled([]), isSettled(stuck)]).toEqual([true, true]);
    expect(isSettled([...stuck, command("c", "z")])).toBe(false);
    expect(isSettled([...stuck, command("c", "z", { state: "sending" })])).toBe(false);
  });

  it("sends again after a reload what may not have arrived", () => {
    expect(restored([command("a", "x", { state: "sending" })])[0]?.state).toBe("waiting");
  });

  it("bases a change on what one's own last one left, also where the page has read an older revision", () => {
    expect([newest(3, 4), newest(5, 4), newest(5, undefined), newest(null, 4)]).toEqual([4, 5, 5, null]);
  });
});
