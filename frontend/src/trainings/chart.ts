import type { Point } from "./history";

/** From values to pixels; a range of one value lies in the middle. */
export function scaleOf(from: number, to: number, start: number, end: number): (value: number) => number {
  if (to === from) return () => (start + end) / 2;
  return (value) => start + ((value - from) / (to - from)) * (end - start);
}

/** Round values in a range, some `count` of them: steps of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number, count = 4): number[] {
  if (!(high > low)) return [low];
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= raw) ?? 10 * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Whole numbers of steps, divided where steps are below one: 3 × 0.1 is not 0.3.
  const inverse = Math.round(1 / step);
  return Array.from({ length: last - first + 1 }, (_, n) =>
    step < 1 ? (first + n) / inverse : (first + n) * step,
  );
}

export function path(points: Point[], x: (epoch: number) => number, y: (value: number) => number): string {
  const parts = points
    .filter(({ value }) => Number.isFinite(value))
    .map(({ epoch, value }) => `${x(epoch).toFixed(1)},${y(value).toFixed(1)}`);
  // A single point is a short line, for a path of one point is not drawn.
  if (parts.length === 1) return `M${parts[0]}h2`;
  return parts.length ? `M${parts.join("L")}` : "";
}

/** The last point up to an epoch, or the first one. */
export function nearest(points: Point[], epoch: number): Point | undefined {
  return points.findLast((point) => point.epoch <= epoch) ?? points[0];
}
