// @vitest-environment happy-dom
import { expect, it, vi } from "vitest";
import { StudioError } from "../api/errors";
import { uuid } from "../api/ids";
import { useUploads } from "./uploads";

vi.mock("./sendInParts", () => ({
  sendInParts: async (_: File, { onProgress }: { onProgress: (sent: number) => void }) => {
    onProgress(5);
    throw StudioError.offline();
  },
}));

const { addFiles, keyOf } = await import("./sending");

it("gives files that go together one key, in whichever order, and others another", () => {
  const [a, b, c] = [uuid(), uuid(), uuid()];
  expect(keyOf([a, b])).toBe(keyOf([b, a]));
  expect(keyOf([a, b])).not.toBe(keyOf([a, c]));
  expect(keyOf([a, b])).not.toBe(keyOf([a]));
  expect(keyOf([a])).toBe(a.replaceAll("-", ""));
});

it("still says how much of a large file was sent while there is no connection", async () => {
  const archive = new File(["0123456789"], "photos.zip");
  const limits = { max_image_bytes: 100, max_upload_bytes: 100 };
  addFiles([archive], { project: "p", dataset: "d", label: null }, limits, {});
  await vi.waitFor(() => expect(useUploads.getState().items[0]?.state).toBe("waiting"));
  expect(useUploads.getState().items[0]?.sent).toBe(5);
});
