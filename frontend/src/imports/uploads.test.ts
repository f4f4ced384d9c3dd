import { expect, it } from "vitest";
import { type Item, interruptedBy, totals } from "./uploads";

const item = (more: Partial<Item>): Item => ({
  id: "i",
  project: "p",
  dataset: "d",
  label: null,
  path: "folder/a.zip",
  size: 7,
  modified: 1000,
  kind: "archive",
  state: "interrupted",
  sent: 0,
  ...more,
});
const file = { name: "a.zip", size: 7, lastModified: 1000 };

it("knows the file whose upload was interrupted", () => {
  expect(interruptedBy(file, [item({ id: "other", path: "b.zip" }), item({})])?.id).toBe("i");
});

it("takes no file that was changed since, and none that is on its way", () => {
  for (const other of [{ size: 8 }, { modified: 1001 }, { path: "b.zip" }, { state: "sending" as const }])
    expect(interruptedBy(file, [item(other)])).toBeUndefined();
});

it("counts what was interrupted as neither taken nor refused", () => {
  expect(totals([item({})])).toMatchObject({ ended: 1, done: 0, failed: 0, interrupted: 1 });
});
