// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { did, useHistory } from "../history/history";
import { addItems, useUploads } from "../imports/uploads";
import { request, setCsrfToken } from "./client";
import { noteOwner, owner, whenOwnerChanges } from "./owner";

const step = (title: string) => ({
  title,
  project: "p",
  undo: { kind: "say", payload: title },
  redo: { kind: "say", payload: title },
});

beforeEach(() => noteOwner(1));
afterEach(() => vi.unstubAllGlobals());

it("is told of somebody else, not of a logout and not of the same user", () => {
  const heard: number[] = [];
  whenOwnerChanges((user) => heard.push(user));
  for (const user of [null, 1, 2, 2, null, 1]) noteOwner(user);
  expect(heard).toEqual([1, 2, 1]);
});

it("keeps the steps of each user for that user", () => {
  did(step("mine"));
  noteOwner(2);
  expect(useHistory.getState().past).toEqual([]);
  did(step("theirs"));
  noteOwner(1);
  expect(useHistory.getState().past.map(({ title }) => title)).toContain("mine");
  expect(useHistory.getState().past.map(({ title }) => title)).not.toContain("theirs");
});

it("shows nobody the files of another", () => {
  addItems([
    {
      id: "a",
      project: "p",
      dataset: "d",
      label: null,
      path: "a",
      size: 1,
      kind: "image",
      state: "waiting",
      sent: 0,
    },
  ]);
  noteOwner(2);
  expect(useUploads.getState().items).toEqual([]);
});

/** A server at which the user with this id has logged in since, perhaps in another tab. */
function studioOf(user: number) {
  const sent: string[] = [];
  const json = (body: unknown, status: number) => new Response(JSON.stringify(body), { status });
  vi.stubGlobal(
    "fetch",
    async (address: string, init: RequestInit & { headers?: Record<string, string> }) => {
      if (address.endsWith("/session/")) return json({ csrf_token: "new", user: { id: user } }, 200);
      sent.push(init.headers?.["X-CSRFToken"] ?? "");
      const error = { code: "csrf_failed", detail: "", attr: null };
      return init.headers?.["X-CSRFToken"] === "new"
        ? json({}, 200)
        : json({ type: "client_error", errors: [error] }, 403);
    },
  );
  return sent;
}

it("repeats a request with a new token for the same user", async () => {
  setCsrfToken("old");
  const sent = studioOf(1);
  expect((await request("/api/v1/x/", { method: "PUT" })).status).toBe(200);
  expect(sent).toEqual(["old", "new"]);
});

it("does nothing in the name of who logged in meanwhile", async () => {
  setCsrfToken("old");
  const sent = studioOf(2);
  await expect(request("/api/v1/x/", { method: "PUT" })).rejects.toThrow();
  expect([sent, owner()]).toEqual([["old"], 2]);
});
