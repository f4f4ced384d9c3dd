import { expect, it } from "vitest";
import type { StudioImage } from "../api/types";
import { isWhole, marksOf } from "./marks";

const annotation = (more: object) => ({
  label: "red",
  label_id: "l",
  origin: "model",
  confirmed: false,
  score: 0.3,
  box: null,
  ...more,
});

it("knows when a row of the gallery leaves annotations out", () => {
  expect(isWhole({ annotation_count: 12, annotations: Array(12) })).toBe(true);
  expect(isWhole({ annotation_count: 47, annotations: Array(12) })).toBe(false);
});

it("turns pixels into thousandths of the image", () => {
  const annotations = [annotation({ box: [64, 48, 320, 480] }), annotation({ score: null })];
  const image = { width: 640, height: 480, annotations } as unknown as StudioImage;
  expect(marksOf(image).map(({ label, box, score }) => [label, box, score])).toEqual([
    ["l", [100, 100, 500, 1000], 0.3],
    ["l", null, null],
  ]);
});
