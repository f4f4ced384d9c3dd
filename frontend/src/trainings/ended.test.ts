import { expect, it } from "vitest";
import type { StudioEvent } from "../api/events";
import { endOf } from "./ended";

const event = (more: object) =>
  ({
    kind: "training",
    id: "t",
    project: "p",
    action: "changed",
    name: "Screws",
    created_by: "ada",
    ...more,
  }) as unknown as StudioEvent;

it("tells of the end of one's own training, once", () => {
  const told = new Set<string>();
  expect(endOf(event({ state: "running" }), "ada", told)).toBeNull();
  expect(endOf(event({ state: "succeeded" }), "ada", told)).toMatchObject({ id: "t", state: "succeeded" });
  expect(endOf(event({ state: "succeeded" }), "ada", told)).toBeNull();
});

it("says nothing of others' trainings, of cancelled ones and of other work", () => {
  const told = new Set<string>();
  for (const more of [
    { state: "succeeded", created_by: "bob" },
    { state: "cancelled" },
    { action: "deleted", state: "failed" },
    { kind: "job", state: "succeeded" },
  ])
    expect(endOf(event(more), "ada", told)).toBeNull();
});
