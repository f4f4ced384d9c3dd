import { describe, expect, it } from "vitest";
import { type Command, confirmed, enqueue, marked, newest, restored, sendable } from "./queue";

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

  it("sends again after a reload what may not have arrived", () => {
    expect(restored([command("a", "x", { state: "sending" })])[0]?.state).toBe("waiting");
  });

  it("bases a change on what one's own last one left, also where the page has read an older revision", () => {
    expect([newest(3, 4), newest(5, 4), newest(5, undefined), newest(null, 4)]).toEqual([4, 5, 5, null]);
  });
});
