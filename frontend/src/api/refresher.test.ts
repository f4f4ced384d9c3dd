import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Refresher } from "./refresher";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A client with two queries, and how often each went stale. */
function watched() {
  const client = new QueryClient();
  const count = new Map<string, number>();
  for (const name of ["images", "labels"]) client.setQueryData(["p", name], 0);
  client.getQueryCache().subscribe(({ type, query }) => {
    if (type !== "updated" || !query.state.isInvalidated) return;
    const name = String(query.queryKey[1]);
    count.set(name, (count.get(name) ?? 0) + 1);
    client.setQueryData(query.queryKey, 0);
  });
  return { refresher: new Refresher(client), count };
}

it("refreshes at once, and then ever less often while more goes stale", () => {
  const { refresher, count } = watched();
  refresher.soon(["p", "images"]);
  expect(count.get("images")).toBe(1);
  for (let turn = 0; turn < 190; turn += 1) {
    refresher.soon(["p", "images"], ["p"]);
    vi.advanceTimersByTime(200);
  }
  vi.runAllTimers();
  expect(count.get("images")).toBeLessThan(16);
  expect(count.get("labels")).toBe((count.get("images") ?? 0) - 1);
});

it("leaves nothing stale at the end, and begins at once again", () => {
  const { refresher, count } = watched();
  for (let turn = 0; turn < 3; turn += 1) refresher.soon(["p", "images"]);
  vi.runAllTimers();
  expect(count.get("images")).toBe(2);
  refresher.soon(["p", "images"]);
  expect(count.get("images")).toBe(3);
});

it("waits no longer where it is known that nothing more comes", () => {
  const { refresher, count } = watched();
  refresher.soon(["p", "images"]);
  refresher.soon(["p", "images"]);
  refresher.now();
  expect(count.get("images")).toBe(2);
});
