import type { ThresholdCost } from "./queries";

/** The row of a lowest score; of a score between two rows the lower one. */
export function rowAt(rows: ThresholdCost[], threshold: number): ThresholdCost | undefined {
  return rows.findLast((row) => row.threshold <= threshold + 1e-9) ?? rows[0];
}

/** The lowest score with the best balance of precision and recall. */
export function bestBalance(rows: ThresholdCost[]): ThresholdCost | undefined {
  return rows.reduce<ThresholdCost | undefined>(
    (best, row) => ((row.f1 ?? -1) > (best?.f1 ?? -1) ? row : best),
    undefined,
  );
}

/** The lowest score from which on so many answers of a hundred are right; undefined where none is. */
export function cheapest(rows: ThresholdCost[], precision: number): ThresholdCost | undefined {
  return rows.find((row) => row.right > 0 && (row.precision ?? 0) >= precision);
}
