import { expect, it } from "vitest";
import type { Project } from "../../api/types";
import type { ProjectCounts } from "../counts";
import { type Meanwhile, nextStep } from "./next";

const project = (more: Partial<Project> = {}) =>
  ({ task: "classification", label_count: 2, model_count: 0, ...more }) as Project;
const counts = (images: number, annotated: number, each: number): ProjectCounts => ({
  images,
  annotated,
  labels: [
    { id: "a", name: "a", images: each },
    { id: "b", name: "b", images: each },
  ],
});
const quiet: Meanwhile = { isArriving: false, training: null, model: null };

it("leads from images over labels and a training to the model", () => {
  expect(nextStep(project(), undefined, quiet)).toBeNull();
  expect(nextStep(project(), counts(0, 0, 0), quiet)).toEqual({ step: "add" });
  expect(nextStep(project({ label_count: 0 }), counts(9, 0, 0), quiet)).toEqual({ step: "name-labels" });
  expect(nextStep(project(), counts(60, 10, 5), quiet)).toEqual({ step: "label", missing: 30 });
  expect(nextStep(project(), counts(60, 60, 30), quiet)).toEqual({ step: "train" });
  const running = { ...quiet, training: "t" };
  expect(nextStep(project(), counts(60, 60, 30), running)).toEqual({ step: "watch", training: "t" });
  const done = { ...quiet, model: "m" };
  expect(nextStep(project({ model_count: 1 }), counts(60, 60, 30), done)).toEqual({
    step: "try",
    model: "m",
  });
});

it("waits while sample images are drawn, for a training would see a part of them", () => {
  expect(nextStep(project(), counts(60, 60, 30), { ...quiet, isArriving: true })).toEqual({ step: "arrive" });
});
