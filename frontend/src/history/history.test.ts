// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";
import { amended, continued, did, NothingLeft, performs, redo, undo, useHistory } from "./history";

const done: string[] = [];
performs<string>("say", async (word) => {
  done.push(word);
  return undefined;
});
const step = (name: string, project = "p") => ({
  title: name,
  project,
  undo: { kind: "say", payload: `-${name}` },
  redo: { kind: "say", payload: `+${name}` },
});

beforeEach(() => {
  done.length = 0;
  useHistory.setState({ past: [], future: [], isBusy: false });
});

describe("undo", () => {
  it("goes back and forth in order", async () => {
    did(step("a"));
    did(step("b"));
    await undo("p");
    await undo("p");
    await redo("p");
    expect(done).toEqual(["-b", "-a", "+a"]);
    expect(await redo("p")).toMatchObject({ title: "b" });
  });

  it("leaves other projects alone", async () => {
    did(step("a", "other"));
    expect(await undo("p")).toBeUndefined();
  });

  it("forgets what was undone once something new is done", async () => {
    did(step("a"));
    await undo("p");
    did(step("b"));
    expect(await redo("p")).toBeUndefined();
  });

  it("survives a reload", () => {
    did(step("a"));
    expect(JSON.parse(sessionStorage.getItem("studio.history.null") ?? "{}").past).toHaveLength(1);
  });

  it("forgets a step of which nothing is left, and goes on with the one before", async () => {
    performs("overtaken", () => Promise.reject(new NothingLeft()));
    did(step("a"));
    did({ ...step("b"), undo: { kind: "overtaken", payload: null } });
    await expect(undo("p")).rejects.toBeInstanceOf(NothingLeft);
    await undo("p");
    expect(done).toEqual(["-a"]);
  });

  it("goes on with the last step only where nothing came between", async () => {
    const nudge = { ...step("a"), merges: "move x", at: Date.now() };
    did(nudge);
    expect(continued("move x", 1000)).toEqual(nudge);
    expect(continued("size x", 1000)).toBeUndefined();
    expect(continued("move x", -1)).toBeUndefined();
    amended({ ...step("b"), merges: "move x", at: Date.now() });
    expect(useHistory.getState().past.map(({ title }) => title)).toEqual(["b"]);
    await undo("p");
    expect(continued("move x", 1000)).toBeUndefined();
  });
});
