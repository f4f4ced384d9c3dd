import type { Comparison, Pair } from "./queries";

export interface LabelRow {
  label: string;
  /** One of each model, in their order; null: it does not know the label, or there was nothing to measure. */
  values: (number | null)[];
}

/** What each model reaches on each label: recall of classifiers, AP50 of detectors. Where they differ most comes first. */
export function labelRows({ models }: Comparison): LabelRow[] {
  const byModel = models.map((model) => model.recall_by_label ?? model.ap50_by_label ?? {});
  const names = [...new Set(byModel.flatMap((values) => Object.keys(values)))];
  const rows = names.map((label) => ({ label, values: byModel.map((values) => values[label] ?? null) }));
  return rows.sort((one, other) => spread(other) - spread(one));
}

function spread({ values }: LabelRow): number {
  const known = values.filter((value) => value !== null);
  return known.length > 1 ? Math.max(...known) - Math.min(...known) : -1;
}

export interface Verdict {
  kind: "better" | "worse" | "open" | "same";
  /** Of the difference, in points of a hundred, without a sign. */
  points: number;
  /** Its 95 % interval, in points, the smaller end first; for "open" it reaches from below zero to above. */
  from: number;
  to: number;
}

/** What the test of two models says about the second. */
export function verdictOf({ difference, interval, is_significant: isSure }: Pair): Verdict {
  const [low = difference, high = difference] = interval;
  const points = Math.abs(difference) * 100;
  if (difference === 0 && !isSure) return { kind: "same", points, from: low * 100, to: high * 100 };
  if (!isSure) return { kind: "open", points, from: low * 100, to: high * 100 };
  if (difference > 0) return { kind: "better", points, from: Math.max(0, low * 100), to: high * 100 };
  return { kind: "worse", points, from: Math.max(0, -high * 100), to: -low * 100 };
}
