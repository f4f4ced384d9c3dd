import type { components } from "../api/schema";

export type LearningCurve = components["schemas"]["LearningCurve"];
export type CurvePoint = components["schemas"]["CurvePoint"];
type LiveLabel = components["schemas"]["LiveLabel"];

/** Measured points, then expected ones: what the chart shows, from few labelled images to many. */
export function pointsOf({ measured, expected }: LearningCurve): CurvePoint[] {
  return [...measured, ...expected].sort((one, other) => one.images - other.images);
}

/** The lowest and the highest accuracy that the chart has room for, with the uncertainty of each point. */
export function rangeOf(points: readonly CurvePoint[]): [number, number] {
  const low = Math.min(...points.map(({ accuracy, deviation }) => accuracy - deviation));
  const high = Math.max(...points.map(({ accuracy, deviation }) => accuracy + deviation));
  return [Math.max(0, Math.floor(low * 20) / 20), Math.min(1, Math.ceil(high * 20) / 20)];
}

/** The outline of accuracy ± deviation: there above the points and back below them. */
export function band(
  points: readonly CurvePoint[],
  x: (images: number) => number,
  y: (accuracy: number) => number,
): string {
  const edge = (sign: 1 | -1) => (point: CurvePoint) =>
    `${x(point.images).toFixed(1)},${y(clamp(point.accuracy + sign * point.deviation)).toFixed(1)}`;
  const outline = [...points.map(edge(1)), ...[...points].reverse().map(edge(-1))];
  return outline.length ? `M${outline.join("L")}Z` : "";
}

const clamp = (share: number) => Math.min(1, Math.max(0, share));

/**
 * The accuracy that some more labelled images are expected to bring: what is measured now, and how much the curve rises from
 * here to there. The curve itself is measured on parts of the labels, a little below what all of them give.
 */
export function expectedFrom(
  now: number | null | undefined,
  labelled: number,
  { measured, expected }: LearningCurve,
): CurvePoint | null {
  const [last, next] = [measured[measured.length - 1], expected[0]];
  if (now === null || now === undefined || !last || !next || next.images <= last.images) return null;
  const way = Math.min(1, Math.max(0, (labelled - last.images) / (next.images - last.images)));
  const rise = Math.max(0, (1 - way) * (next.accuracy - last.accuracy));
  return { images: next.images, accuracy: clamp(now + rise), deviation: next.deviation };
}

const LEAST_RISE = 0.01;

/** Whether people would see a difference. */
export function isWorthMore(now: number | null | undefined, { accuracy }: CurvePoint): boolean {
  return now !== null && now !== undefined && accuracy - now >= LEAST_RISE;
}

const FEWEST_TRIED = 3;

/** Labels of which it gets the smallest share right, the worst first: these need images. */
export function weakest(labels: readonly LiveLabel[], most = 3): LiveLabel[] {
  const share = ({ right, held_out: tried }: LiveLabel) => right / tried;
  return labels
    .filter((label) => label.held_out >= FEWEST_TRIED && label.right < label.held_out)
    .sort((one, other) => share(one) - share(other) || one.images - other.images)
    .slice(0, most);
}
