import { expect, it } from "vitest";
import type { Activity } from "../api/types";
import { newest, pageOf } from "./entries";

const entry = (more: Partial<Activity>) =>
  ({ id: "i", project: "p", state: "succeeded", ...more }) as Activity;

it("leads to an import, where it is decided about and undone, and to a training", () => {
  expect(pageOf(entry({ kind: "import" }))).toBe("/projects/p/import/i");
  expect(pageOf(entry({ kind: "training" }))).toBe("/projects/p/trainings/i");
  expect(pageOf(entry({ kind: "export" }))).toBeNull();
});

it("leaves out estimates that were given up, and keeps those that failed", () => {
  const given = entry({ id: "a", kind: "preflight", state: "cancelled" });
  const failed = entry({ id: "b", kind: "preflight", state: "failed" });
  const training = entry({ id: "c", kind: "training", state: "cancelled" });
  expect(newest([given, failed, given, training], 2).map(({ id }) => id)).toEqual(["b", "c"]);
});
