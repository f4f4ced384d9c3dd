import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { rememberPart, undoable, undoChange } from "./changes";
import { redo, undo, useHistory } from "./history";

const asked: string[] = [];
let answers: Record<string, () => Response>;

const reply = (body: unknown, status = 200, change?: string) =>
  new Response(status === 204 ? null : JSON.stringify(body), {
    status,
    headers: change ? { "X-Change": change } : {},
  });

beforeEach(() => {
  asked.length = 0;
  useHistory.setState({ past: [], future: [], isBusy: false });
  answers = { "GET /api/v1/auth/session/": () => reply({ csrf_token: "t" }) };
  vi.stubGlobal("fetch", async (address: string, init?: RequestInit) => {
    const asking = `${init?.method ?? "GET"} ${address}`;
    asked.push(asking);
    return (answers[asking] ?? (() => reply({}, 404)))();
  });
});
afterEach(() => vi.unstubAllGlobals());

describe("a change on the server", () => {
  it("is taken back and done again by the changes that the studio names", async () => {
    answers["DELETE /api/v1/datasets/d/"] = () => reply(null, 204, "one");
    answers["POST /api/v1/changes/one/undo/"] = () => reply({}, 200, "two");
    answers["POST /api/v1/changes/two/undo/"] = () => reply({}, 200, "three");
    const { change } = await undoable("p", "Delete", { method: "DELETE", address: "/api/v1/datasets/d/" });
    expect(change).toBe("one");
    await undo("p");
    await redo("p");
    expect(asked.filter((asking) => asking.includes("changes"))).toEqual([
      "POST /api/v1/changes/one/undo/",
      "POST /api/v1/changes/two/undo/",
    ]);
  });

  it("is waited for where a job makes it", async () => {
    const states = ["running", "succeeded"];
    answers["POST /api/v1/images/bulk/"] = () => reply({ id: "j", state: "queued" }, 202);
    answers["GET /api/v1/jobs/j/"] = () =>
      reply({ id: "j", state: states.shift(), result: { changed: 9, unchanged: 0, change: "one" } });
    vi.useFakeTimers();
    const asking = { method: "POST" as const, address: "/api/v1/images/bulk/", body: {} };
    const done = undoable<{ changed: number }>("p", "Delete", asking);
    await vi.advanceTimersByTimeAsync(5000);
    vi.useRealTimers();
    expect(await done).toMatchObject({ changed: 9, change: "one" });
    expect(useHistory.getState().past).toHaveLength(1);
  });

  it("says why its job failed", async () => {
    answers["POST /api/v1/changes/one/undo/"] = () => reply({ id: "j" }, 202);
    answers["GET /api/v1/jobs/j/"] = () =>
      reply({ id: "j", state: "failed", error: { code: "changed_since", detail: "It was changed." } });
    await expect(undoChange("one")).rejects.toMatchObject({
      code: "changed_since",
      message: "It was changed.",
    });
  });

  it("that changed nothing is not remembered", async () => {
    answers["POST /a/"] = () => reply({ changed: 0 });
    await undoable("p", "Nothing", { method: "POST", address: "/a/", body: {} });
    expect(useHistory.getState().past).toEqual([]);
  });

  it("that came in parts is one step, also where a part was taken back before", async () => {
    answers["POST /api/v1/changes/one/undo/"] = () =>
      reply({ type: "client_error", errors: [{ code: "already_undone", detail: "", attr: null }] }, 409);
    answers["POST /api/v1/changes/two/undo/"] = () => reply({}, 200, "three");
    for (const change of ["one", null, "two"]) rememberPart("p", "Upload", change, "upload x");
    rememberPart("p", "Upload", "other", "upload y");
    expect(useHistory.getState().past).toHaveLength(2);
    useHistory.setState(({ past }) => ({ past: past.slice(0, 1) }));
    await undo("p");
    expect(asked.filter((asking) => asking.includes("changes"))).toEqual([
      "POST /api/v1/changes/two/undo/",
      "POST /api/v1/changes/one/undo/",
    ]);
    expect(useHistory.getState().future[0]?.redo.payload).toEqual({ project: "p", changes: ["three"] });
  });
});
