import { afterEach, expect, it, vi } from "vitest";
import type { Command } from "./queue";

const store = new Map<string, Command[]>();
const set = vi.fn(async (key: string, queue: Command[]) => {
  await new Promise((resolve) => setTimeout(resolve));
  store.set(key, queue);
});
vi.mock("idb-keyval", () => ({
  createStore: () => null,
  set,
  del: async (key: string) => void store.delete(key),
  keys: async () => [...store.keys()],
  entries: async () => [...store],
}));

const { KeptQueues } = await import("./kept");
const command = (id: string) => ({ id, at: 0 }) as Command;

afterEach(() => {
  store.clear();
  set.mockClear();
});

it("writes the newest state, and none that has become old while it waited", async () => {
  const kept = new KeptQueues(1, "tab");
  const states = [1, 2, 3, 4, 5].map((length) => Array.from({ length }, (_, n) => command(String(n))));
  await Promise.all(states.map((state) => kept.write(state)));
  expect(store.get("1/tab")).toBe(states.at(-1));
  expect(set).toHaveBeenCalledTimes(1);
  await kept.write([]);
  expect(store.size).toBe(0);
  kept.close();
});

it("forgets what a closed tab left only when it is taken, so that it is never nowhere", async () => {
  store.set("1/closed", [command("a")]);
  store.set("2/another user", [command("b")]);
  const kept = new KeptQueues(1, "tab");
  const taken: string[] = [];
  await kept.adopt(async (queue) => {
    taken.push(...queue.map(({ id }) => id));
    expect(store.has("1/closed")).toBe(true);
  }, 1);
  expect(taken).toEqual(["a"]);
  expect([...store.keys()]).toEqual(["2/another user"]);
  kept.close();
});
