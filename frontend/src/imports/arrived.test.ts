import { expect, it } from "vitest";
import { opensByItself } from "./arrived";
import type { Item } from "./uploads";

const arrived = { project: "p", dataset: "d", job: "j", path: "a.zip", from: "/projects/p/images" };
const item = (more: Partial<Item>): Item => ({
  id: "i",
  project: "p",
  dataset: "d",
  label: null,
  path: "a.zip",
  size: 1,
  kind: "archive",
  state: "done",
  sent: 1,
  ...more,
});

it("opens where the archive was dropped, and nowhere else", () => {
  expect(opensByItself(arrived, "/projects/p/images", [item({ job: "j" })])).toBe(true);
  expect(opensByItself(arrived, "/projects/p/label", [item({ job: "j" })])).toBe(false);
});

it("waits for nobody but other archives", () => {
  const more = (kind: Item["kind"], state: Item["state"]) => [item({ job: "j" }), item({ kind, state })];
  expect(opensByItself(arrived, "/projects/p/images", more("archive", "sending"))).toBe(false);
  expect(opensByItself(arrived, "/projects/p/images", more("image", "sending"))).toBe(true);
  expect(opensByItself(arrived, "/projects/p/images", more("archive", "done"))).toBe(true);
});
