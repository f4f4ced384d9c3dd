import { expect, it } from "vitest";
import type { Prediction } from "../models/queries";
import { modelsOf, readTrySearch } from "./search";
import { rateOf, reaching, scaledTo } from "./shown";
import { curlOf, pythonOf } from "./snippets";

const id = (digit: string) => `0000000${digit}-0000-7000-8000-000000000000`;

it("reads up to four models out of an address", () => {
  expect(modelsOf([id("1"), id("1"), "x", id("2")].join())).toEqual([id("1"), id("2")]);
  expect(modelsOf(["1", "2", "3", "4", "5"].map(id).join())).toHaveLength(4);
  expect(readTrySearch({ model: "../x", camera: "yes" })).toEqual({ model: undefined, camera: undefined });
});

it("writes lines that ask for the same, without a token", () => {
  const call = { origin: "http://studio:8000", model: id("1"), filename: "it's a $dent.jpg", threshold: 0.4 };
  expect(curlOf(call)).toContain("-F 'files=@it'\\''s a $dent.jpg'");
  expect(curlOf(call)).toContain(`'http://studio:8000/api/v1/models/${id("1")}/predict/?threshold=0.4'`);
  expect(curlOf(call)).toContain("Token $STUDIO_TOKEN");
  expect(pythonOf({ ...call, threshold: null, filename: 'a"b.png' })).toContain('open("a\\"b.png", "rb")');
  expect(pythonOf({ ...call, threshold: null })).toContain(`${id("1")}/predict/",`);
});

const box = (label: string, score: number) => ({ label, score, box: [0, 0, 1, 1] });

it("shows what reaches the threshold of its label, or the one that was set", () => {
  const prediction = { boxes: [box("a", 0.5), box("b", 0.5)], labels: [] } as unknown as Prediction;
  const detector = { score_threshold: 0.4, label_thresholds: { b: 0.6 } };
  const model = { task: "detection", detector } as unknown as Parameters<typeof reaching>[1];
  expect(reaching(prediction, model, null).boxes.map(({ label }) => label)).toEqual(["a"]);
  expect(reaching(prediction, model, 0.5).boxes).toHaveLength(2);
  expect(reaching(prediction, model, 0.7).boxes).toHaveLength(0);
});

it("keeps the shape of the camera's image", () => {
  expect(scaledTo(640, 480, 224)).toEqual([224, 168]);
  expect(scaledTo(100, 50, 224)).toEqual([100, 50]);
});

it("tells the rate of the last two seconds", () => {
  const moments = Array.from({ length: 31 }, (_, nth) => nth * 100);
  expect(rateOf(moments, 3000)).toBeCloseTo(10);
  expect(rateOf([], 0)).toBe(0);
  expect(rateOf(moments, 9000)).toBe(0);
});
