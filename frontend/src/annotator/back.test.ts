// @vitest-environment happy-dom
import { renderHook } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import type { StudioImage } from "../api/types";
import { useHistory } from "../history/history";
import { useOutbox } from "../outbox/outbox";

vi.stubGlobal(
  "fetch",
  vi.fn(() => new Promise(() => undefined)),
);

const { change } = await import("./changes");
const { annotator } = await import("./store");
const { useLoadedImage } = await import("./useAnnotator");

const read = (id: string): StudioImage =>
  ({ id, width: 64, height: 48, revision: 1, annotations: [] }) as never;
const mark = (id: string) =>
  ({ id, label: "nut", box: [1, 2, 3, 4], confirmed: true, origin: "human", score: null }) as const;
const boxes = () => annotator.getState().marks.map(({ id }) => id);

afterEach(() => {
  useOutbox.setState({ queue: [] });
  useHistory.setState({ past: [], future: [] });
});

it("shows the boxes that have not reached the server when one comes back to their image", () => {
  const page = renderHook(({ image }) => useLoadedImage("p", image), { initialProps: { image: read("a") } });
  change("p", "a.jpg", "Box", [{ ...mark("first"), box: [1, 2, 3, 4] }]);
  page.rerender({ image: read("b") });
  expect(boxes()).toEqual([]);
  page.rerender({ image: read("a") });
  expect(boxes()).toEqual(["first"]);
  change("p", "a.jpg", "Box", [...annotator.getState().marks, { ...mark("second"), box: [5, 6, 7, 8] }]);
  expect(useOutbox.getState().queue.at(-1)?.body).toHaveLength(2);
});

it("takes what changes nothing for no step: its undo would do nothing", () => {
  annotator.setState({ image: "c", marks: [{ ...mark("box"), box: [1, 2, 3, 4] }] });
  change("p", "c.jpg", "Label nut", [{ ...mark("box"), box: [1, 2, 3, 4] }]);
  expect([useHistory.getState().past, useOutbox.getState().queue]).toEqual([[], []]);
  change("p", "c.jpg", "Label screw", [{ ...mark("box"), box: [1, 2, 3, 4], label: "screw" }]);
  expect(useHistory.getState().past).toHaveLength(1);
});
