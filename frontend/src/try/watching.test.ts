import { afterEach, expect, it, vi } from "vitest";
import type { Model } from "../models/queries";
import { useWatching, watch } from "./watching";

const asked = vi.hoisted(() => [] as string[]);
vi.mock("../models/queries", () => ({
  predict: async (id: string) => {
    asked.push(id);
    if (id === "broken") throw new Error("This model cannot be used.");
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { predictions: [{ filename: id, labels: [], boxes: [] }], rejected: [] };
  },
}));

afterEach(() => vi.unstubAllGlobals());

const model = (id: string) =>
  ({ id, task: "classification", input_width: 64, input_height: 64 }) as unknown as Model;

it("asks each model by itself, and one that fails holds up no other", async () => {
  vi.stubGlobal("document", {
    visibilityState: "visible",
    createElement: () => ({
      getContext: () => null,
      toBlob: (take: (blob: Blob) => void) => take(new Blob(["image"])),
    }),
  });
  const video = { videoWidth: 640, videoHeight: 480 } as HTMLVideoElement;
  const ends = ["first", "second", "broken"].map((id) => watch(video, model(id)));
  await vi.waitFor(() => expect(asked.filter((id) => id === "second").length).toBeGreaterThan(3));
  for (const end of ends) end();
  const { first, second, broken } = useWatching.getState();
  expect(first?.prediction?.filename).toBe("first");
  expect(second?.prediction?.filename).toBe("second");
  expect(second?.error).toBeNull();
  expect(broken?.error).toBeInstanceOf(Error);
  expect(asked.filter((id) => id === "broken")).toHaveLength(1);
});
