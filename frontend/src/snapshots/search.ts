export const differences = ["added", "removed", "relabelled", "moved"] as const;
export type Difference = (typeof differences)[number];
const splits = ["train", "validation", "test"] as const;
export type SplitName = (typeof splits)[number];

export interface SnapshotSearch {
  split?: SplitName;
  label?: string;
  /** The snapshot that this one is compared with. */
  with?: string;
  difference?: Difference;
}

/** Reads an address. What is odd in it is left out. */
export function readSnapshotSearch(search: Record<string, unknown>): SnapshotSearch {
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  return {
    split: splits.find((one) => one === search.split),
    label: text(search.label),
    with: text(search.with),
    difference: differences.find((one) => one === search.difference),
  };
}

export interface LabelCounts {
  label: string;
  train: number;
  validation: number;
  test: number;
  total: number;
}

/** A snapshot's counts by label and split, as rows, in the order of its labels. */
export function labelRows(
  names: readonly string[],
  labels: Record<string, Record<string, number>>,
): LabelCounts[] {
  return names.map((label) => {
    const of = (split: SplitName) => labels[label]?.[split] ?? 0;
    const [train, validation, test] = [of("train"), of("validation"), of("test")];
    return { label, train, validation, test, total: train + validation + test };
  });
}

/** "+3", "−2", "0": how a count changed. */
export function changeOf(before: number, after: number): string {
  const change = after - before;
  return change === 0 ? "0" : change > 0 ? `+${change}` : `−${-change}`;
}

/** The difference that is shown first: the first one that there is. */
export function firstDifference(counts: Record<Difference, number>): Difference {
  return differences.find((one) => counts[one] > 0) ?? "added";
}
