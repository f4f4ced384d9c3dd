import { expect, it } from "vitest";
import type { Job } from "../api/types";
import { importOf } from "./result";

const dryRun = (splits: Record<string, number>) =>
  importOf({ result: { kind: "import_dry_run", dry_run: true, images: 5, splits } } as unknown as Job);

it("says how the archive divides its images, and nothing where it does not", () => {
  expect(dryRun({ train: 3, test: 2 })?.splits).toEqual({ train: 3, validation: 0, test: 2 });
  expect(dryRun({ none: 5 })?.splits).toBeNull();
});
