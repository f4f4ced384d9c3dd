import type { components } from "../api/schema";

export type ModelExport = components["schemas"]["Export"];

/** What small computers with Linux run. */
const RUNTIMES = new Set(["litert", "onnxruntime"]);
/** A file may lose so much accuracy, or AP50, and still be the better choice for a small machine. */
const LARGEST_LOSS = 0.01;
/** Times that differ by less are the same: the measurement is of one machine on one day. */
const SAME_TIME = 1.1;

export interface Advice {
  chosen: ModelExport;
  /** How many times smaller it is than the largest file of the comparison. */
  timesSmaller: number;
  /** Why others were left out: they lose more than a point. */
  tooLossy: ModelExport[];
}

/**
 * The file to take for a small computer: of those that lose at most a point, the quickest here, and of equally quick ones
 * the smallest. Null where nothing that it could run was measured.
 */
export function adviceFor(exports: ModelExport[]): Advice | null {
  const made = exports.filter(({ file, runtime }) => file && !file.stale && RUNTIMES.has(runtime));
  const measured = made.filter(({ file }) => typeof file?.report.latency_ms === "number");
  const isLossy = ({ file }: ModelExport) => (file?.report.drop ?? 0) > LARGEST_LOSS;
  const good = measured.filter((one) => !isLossy(one));
  const quickest = Math.min(...good.map(timeOf));
  const [chosen] = good
    .filter((one) => timeOf(one) <= quickest * SAME_TIME)
    .sort((one, other) => sizeOf(one) - sizeOf(other));
  if (!chosen) return null;
  return {
    chosen,
    timesSmaller: Math.max(...made.map(sizeOf)) / sizeOf(chosen),
    tooLossy: measured.filter(isLossy),
  };
}

const timeOf = ({ file }: ModelExport) => file?.report.latency_ms ?? Number.POSITIVE_INFINITY;
const sizeOf = ({ file }: ModelExport) => file?.size ?? 0;

/** The figure that a file is judged by, and that of the model itself on the same images. */
export function figuresOf({ file }: ModelExport): { own?: number; original?: number } {
  const report = file?.report;
  return {
    own: report?.accuracy ?? report?.ap50 ?? undefined,
    original: report?.keras_accuracy ?? report?.keras_ap50 ?? undefined,
  };
}
