import type { Metrics } from "../models/queries";
import type { Curves, LabelCharts } from "./queries";
import type { Behind } from "./search";

/** A point of a curve from 0 to 1 in both directions; `score` where it is known. */
export interface CurvePoint {
  x: number;
  y: number;
  score?: number;
}

type PrecisionRecall = NonNullable<LabelCharts["precision_recall"]>;
type Roc = NonNullable<LabelCharts["roc"]>;

/** Precision over recall, with the score of each point. */
export function scored({ recall, precision, threshold }: PrecisionRecall): CurvePoint[] {
  return recall.map((x, place) => ({ x, y: precision[place] ?? 0, score: threshold[place] }));
}

/** The images that the model calls so from the score of a point on. */
export function behindPoint(label: string, score: number, task: Metrics["task"]): Behind {
  return task === "detection"
    ? { outcome: "all", predicted: label, threshold: score }
    : { outcome: "all", scoreOf: label, min: score };
}

/** Precision over recall of a label, as it was kept with the evaluation; null where it has none. */
export function precisionRecall(metrics: Metrics, curves: Curves, label: string): CurvePoint[] | null {
  if (metrics.task === "detection") {
    const precisions = metrics.per_class?.find((row) => row.label === label)?.precision_at_recall;
    if (!precisions?.length) return null;
    return precisions.map((y, place) => ({ x: place / (precisions.length - 1), y }));
  }
  const curve = curves.per_class?.find((row) => row.label === label)?.precision_recall;
  if (!curve) return null;
  return scored(curve);
}

/** True over false positive rate of a label, as it was kept with the evaluation. */
export function roc(curves: Curves, label: string): { points: CurvePoint[]; area: number } | null {
  return rates(curves.per_class?.find((row) => row.label === label)?.roc ?? null);
}

/** True over false positive rate. The first point is above all scores, and evaluations of earlier versions have none. */
export function rates(curve: Roc | null): { points: CurvePoint[]; area: number } | null {
  if (!curve) return null;
  const points = curve.false_positive_rate.map((x, place) => ({
    x,
    y: curve.true_positive_rate[place] ?? 0,
    score: curve.threshold?.[place] ?? undefined,
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

/** The images of a bin of one label's boxes. */
export function behindBin(label: string, bin: Bin): Behind {
  return { outcome: "all", scoreOf: label, threshold: bin.from, ...rangeOf(bin) };
}

/** The images of a bin: its upper end belongs to the next one, but for the last. */
export function rangeOf({ from, to }: Bin): { min: number; max: number } {
  return { min: from, max: to >= 1 ? 1 : to - 1e-6 };
}
