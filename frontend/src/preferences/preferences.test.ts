// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import { StudioError } from "../api/errors";

const sent: unknown[] = [];
let answer: () => Promise<unknown> = async () => ({});
vi.mock("../api/client", () => ({
  api: {
    PATCH: (_: string, { body }: { body: { preferences: unknown } }) => {
      sent.push(body.preferences);
      return answer();
    },
  },
}));

const { adoptPreferences, flushPreferences, prefer, preferences, usePreferenceStore } = await import(
  "./preferences"
);
const PENDING = "studio.preferences.7.pending";
const pending = () => JSON.parse(localStorage.getItem(PENDING) ?? "{}") as object;

beforeEach(() => {
  localStorage.clear();
  sent.length = 0;
  answer = async () => ({ data: { preferences: {} } });
  usePreferenceStore.setState({ user: null, server: {}, pending: {} });
});

it("uses a change at once, and forgets it as pending when the studio has it", async () => {
  adoptPreferences("7", { theme: "light", language: "de" });
  answer = async () => ({ data: { preferences: { theme: "dark", language: "de" } } });
  prefer({ theme: "dark" });
  expect(preferences()).toEqual({ theme: "dark", language: "de", keys: {} });
  await vi.waitFor(() => expect(pending()).toEqual({}));
  expect(sent).toEqual([{ theme: "dark" }]);
  expect(preferences().theme).toBe("dark");
});

it("keeps what could not be sent, with what another tab added meanwhile", async () => {
  adoptPreferences("7", {});
  answer = async () => Promise.reject(StudioError.offline());
  prefer({ keys: { left: ["A"] } });
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  localStorage.setItem(PENDING, JSON.stringify({ ...pending(), "keys.right": ["D"] }));
  prefer({ tile_size: "l" });
  expect(pending()).toEqual({ "keys.left": ["A"], "keys.right": ["D"], tile_size: "l" });
  answer = async () => ({ data: { preferences: { keys: { left: ["A"], right: ["D"] }, tile_size: "l" } } });
  await vi.waitFor(async () => {
    await flushPreferences();
    expect(pending()).toEqual({});
  });
  expect(sent.at(-1)).toEqual({ keys: { left: ["A"], right: ["D"] }, tile_size: "l" });
});

it("sends what a tab before could not, and gives up what the studio refuses", async () => {
  localStorage.setItem(PENDING, JSON.stringify({ theme: "dark" }));
  const refused = [{ code: "preferences_too_large", detail: "Remove some.", attr: "preferences" }];
  answer = async () => Promise.reject(new StudioError(400, refused));
  adoptPreferences("7", { theme: "light" });
  await vi.waitFor(() => expect(pending()).toEqual({}));
  expect(sent).toEqual([{ theme: "dark" }]);
  expect(preferences().theme).toBe("light");
});
