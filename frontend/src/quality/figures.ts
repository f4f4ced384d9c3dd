import type { components } from "../api/schema";
import type { Metrics } from "../models/queries";
import type { Sort } from "./search";

export type ClassifierMetrics = components["schemas"]["ClassificationMetrics"];
export type MultilabelMetrics = components["schemas"]["MultilabelMetrics"];
export type DetectorMetrics = components["schemas"]["DetectionMetrics"];

/** Fewer images than this say little about a label: one more mistake moves its figures by five points. */
export const FEW = 20;
/** Fewer images than this say little about a model. */
export const FEW_IN_ALL = 100;

export interface LabelRow {
  label: string;
  /** Images with the label, or annotated boxes of it. */
  count: number;
  precision: number | null;
  recall: number | null;
  /** F1, of detectors AP50. */
  score: number | null;
}

/** The figures by label. A label without test images has none, for zero would be wrong. */
export function labelRows(metrics: Metrics): LabelRow[] {
  if (metrics.task === "detection")
    return (metrics.per_class ?? []).map(({ label, boxes, precision, recall, ap50 }) => ({
      label,
      count: boxes,
      precision: boxes ? (precision ?? null) : null,
      recall: boxes ? (recall ?? null) : null,
      score: ap50,
    }));
  return (metrics.per_class ?? []).map(({ label, support, precision, recall, f1 }) => ({
    label,
    count: support,
    precision: support ? precision : null,
    recall: support ? recall : null,
    score: support ? f1 : null,
  }));
}

/** In the order of a column, the worst first; what was not measured comes last in any order. */
export function sortRows(rows: LabelRow[], sort: Sort, isDown: boolean, locale: string): LabelRow[] {
  const sign = isDown ? -1 : 1;
  return [...rows].sort((first, second) => {
    if (sort === "label") return sign * first.label.localeCompare(second.label, locale, { numeric: true });
    const [one, other] = [first[sort], second[sort]];
    if (one === null || other === null) return (one === null ? 1 : 0) - (other === null ? 1 : 0);
    return sign * (one - other) || first.label.localeCompare(second.label, locale, { numeric: true });
  });
}

export interface Share {
  part: number;
  all: number;
  /** 95 %, as numbers out of a hundred. */
  low: number;
  high: number;
}

/** How many images got exactly their labels; null where it was never measured. */
export function exactOf(metrics: MultilabelMetrics): Share | null {
  const { subset_accuracy: share, subset_accuracy_interval: interval, count } = metrics;
  if (share === undefined || !count) return null;
  const part = Math.round(share * count);
  const [low, high] = interval?.length === 2 ? interval : wilson(part, count);
  return { part, all: count, low: hundred(low ?? 0), high: hundred(high ?? 1) };
}

/** How many images of a classifier were right; null where it was never measured. */
export function rightOf({ accuracy, count, accuracy_interval: interval }: ClassifierMetrics): Share | null {
  if (accuracy === undefined || !count) return null;
  const [low, high] = interval?.length === 2 ? interval : wilson(Math.round(accuracy * count), count);
  return {
    part: Math.round(accuracy * count),
    all: count,
    low: hundred(low ?? 0),
    high: hundred(high ?? 1),
  };
}

export interface Found {
  found: Share;
  /** Boxes where nothing of that label is annotated. */
  alarms: number;
}

/** What a detector found, missed, and saw where nothing is. */
export function foundOf(metrics: DetectorMetrics): Found | null {
  const { boxes, recall, precision, recall_interval: interval } = metrics;
  if (recall === undefined || precision === undefined || !boxes) return null;
  const part = Math.round(recall * boxes);
  // Boxes of one image are missed together: the studio's own interval counts that, and older figures have none.
  const [low, high] = interval?.length === 2 ? interval : wilson(part, boxes);
  return {
    found: { part, all: boxes, low: hundred(low ?? 0), high: hundred(high ?? 1) },
    alarms: precision > 0 ? Math.round(part / precision - part) : 0,
  };
}

const hundred = (share: number) => Math.round(100 * share);

/** 95 % interval of a proportion (Wilson 1927). */
export function wilson(part: number, all: number): [number, number] {
  if (all === 0) return [0, 1];
  const z = 1.959964;
  const share = part / all;
  const centre = share + z ** 2 / (2 * all);
  const half = z * Math.sqrt((share * (1 - share)) / all + z ** 2 / (4 * all ** 2));
  const scale = 1 + z ** 2 / all;
  return [Math.max(0, (centre - half) / scale), Math.min(1, (centre + half) / scale)];
}
