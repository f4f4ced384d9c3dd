import type { Metrics } from "../models/queries";
import type { Curves } from "./queries";

/** A point of a curve from 0 to 1 in both directions; `score` where it is known. */
export interface CurvePoint {
  x: number;
  y: number;
  score?: number;
}

/** Precision over recall of a label; null where it has none. */
export function precisionRecall(metrics: Metrics, curves: Curves, label: string): CurvePoint[] | null {
  if (metrics.task === "detection") {
    const precisions = metrics.per_class?.find((row) => row.label === label)?.precision_at_recall;
    if (!precisions?.length) return null;
    return precisions.map((y, place) => ({ x: place / (precisions.length - 1), y }));
  }
  const curve = curves.per_class?.find((row) => row.label === label)?.precision_recall;
  if (!curve) return null;
  return curve.recall.map((x, place) => ({
    x,
    y: curve.precision[place] ?? 0,
    score: curve.threshold[place],
  }));
}

/** True over false positive rate of a label. */
export function roc(curves: Curves, label: string): { points: CurvePoint[]; area: number } | null {
  const curve = curves.per_class?.find((row) => row.label === label)?.roc;
  if (!curve) return null;
  const points = curve.false_positive_rate.map((x, place) => ({
    x,
    y: curve.true_positive_rate[place] ?? 0,
  }));
  return { points, area: curve.auc };
}

/** The point nearest to a place on the x axis. */
export function nearestPoint(points: CurvePoint[], x: number): number {
  let best = 0;
  points.forEach((point, place) => {
    if (Math.abs(point.x - x) < Math.abs((points[best]?.x ?? 0) - x)) best = place;
  });
  return best;
}

export interface Bin {
  from: number;
  to: number;
  count: number;
  confidence: number;
  accuracy: number;
}

/** How far off the model's confidence is, on the average: what the sentence over the chart says. */
export function gapOf(bins: Bin[]): number {
  const all = bins.reduce((sum, { count }) => sum + count, 0);
  const signed = bins.reduce((sum, bin) => sum + bin.count * (bin.confidence - bin.accuracy), 0);
  return all ? signed / all : 0;
}

/** The images of a bin: its upper end belongs to the next one, but for the last. */
export function rangeOf({ from, to }: Bin): { min: number; max: number } {
  return { min: from, max: to >= 1 ? 1 : to - 1e-6 };
}
