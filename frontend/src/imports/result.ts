import type { Job } from "../api/types";

export interface FoundLabel {
  name: string;
  images: number;
  annotations: number;
  /** The project's label of the same name, or null. */
  label: string | null;
  similar: string[];
}

export interface FoundSplits {
  train: number;
  validation: number;
  test: number;
}

export interface ImportResult {
  dry_run: boolean;
  format: string;
  images: number;
  labelled: number;
  to_review: number;
  boxes: number;
  duplicates: number;
  rejected: number;
  /** Null where the archive says nothing of splits. */
  splits: FoundSplits | null;
  labels: FoundLabel[];
  /** Folders might be labels, and were not taken as such. */
  hasUnusedFolders: boolean;
}

const number = (value: unknown) => (typeof value === "number" ? value : 0);

function splitsOf(found: Record<string, unknown> = {}): FoundSplits | null {
  const splits = {
    train: number(found.train),
    validation: number(found.validation),
    test: number(found.test),
  };
  return splits.train + splits.validation + splits.test > 0 ? splits : null;
}

/** The result of an import or a dry run, whose fields differ a little. */
export function importOf(job: Job): ImportResult | null {
  if (!job.result) return null;
  const result = job.result as Record<string, unknown>;
  const duplicates = result.duplicates as { in_archive?: number; in_dataset?: number } | number | undefined;
  return {
    dry_run: result.dry_run === true,
    format: String(result.format ?? ""),
    images: number(result.images) || number(result.created) + number(result.imported),
    labelled: number(result.labelled),
    to_review: number(result.to_review),
    boxes: number(result.boxes),
    duplicates:
      typeof duplicates === "object"
        ? number(duplicates.in_archive) + number(duplicates.in_dataset)
        : number(duplicates),
    rejected: number(result.rejected),
    hasUnusedFolders: "folders_ignored" in ((result.remarks_by_code as object | undefined) ?? {}),
    splits: splitsOf(result.splits as Record<string, unknown> | undefined),
    labels: Array.isArray(result.labels) ? (result.labels as FoundLabel[]) : [],
  };
}
