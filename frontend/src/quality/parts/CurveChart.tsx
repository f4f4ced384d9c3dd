import { useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useState } from "react";
import { scaleOf } from "../../trainings/chart";
import { formatPercent } from "../../ui/numbers";
import { type CurvePoint, nearestPoint } from "../curves";
import classes from "../Quality.module.css";

const HEIGHT = 280;
const ROOM = { left: 44, right: 12, top: 10, bottom: 40 };
const TICKS = [0, 0.25, 0.5, 0.75, 1];

interface Props {
  title: string;
  xName: string;
  yName: string;
  points: CurvePoint[];
  hasDiagonal?: boolean;
  /** Drawn with a dashed line, over the same x. */
  second?: { name: string; points: CurvePoint[] };
  /** Where a mark stands that is moved elsewhere. */
  mark?: number;
  /** Under the chart where nothing is pointed at. */
  note: string;
  /** Opens the images of a point that has a score: by a click, or by Enter. */
  open?: (score: number) => void;
}

/** A curve from 0 to 1 in both directions. Pointer and arrow keys say the numbers at a place. */
export function CurveChart({ title, xName, yName, points, hasDiagonal, second, mark, note, open }: Props) {
  const { t, i18n } = useLingui();
  const { ref, width: measured } = useElementSize();
  const width = measured || 420;
  const [at, setAt] = useState<number | null>(null);
  const right = Math.max(width - ROOM.right, ROOM.left + 40);
  const x = scaleOf(0, 1, ROOM.left, right);
  const y = scaleOf(0, 1, HEIGHT - ROOM.bottom, ROOM.top);
  const point = at === null ? undefined : points[at];
  const percent = (value: number) => formatPercent(value, i18n.locale, 1);
  const sentence = point
    ? [
        `${xName} ${percent(point.x)}`,
        `${yName} ${percent(point.y)}`,
        ...(second && at !== null ? [`${second.name} ${percent(second.points[at]?.y ?? 0)}`] : []),
        ...(point.score === undefined ? [] : [t`from a score of ${percent(point.score)}`]),
        ...(point.score === undefined || !open ? [] : [t`click or Enter: its images`]),
      ].join(" · ")
    : note;
  const onPointer = (event: React.PointerEvent) => {
    const { left } = event.currentTarget.getBoundingClientRect();
    setAt(nearestPoint(points, (event.clientX - left - ROOM.left) / (right - ROOM.left)));
  };
  const openPoint = () => {
    if (point?.score !== undefined) open?.(point.score);
  };
  const onKey = (event: React.KeyboardEvent) => {
    if (event.key === "Enter") openPoint();
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    setAt(Math.min(points.length - 1, Math.max(0, (at ?? 0) + step)));
  };
  return (
    <figure ref={ref} style={{ margin: 0, minWidth: 0 }}>
      <Text component="figcaption" size="sm" fw={600} mb={4}>
        {title}
      </Text>
      <div
        role="slider"
        tabIndex={0}
        aria-label={title}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, points.length - 1)}
        aria-valuenow={at ?? 0}
        aria-valuetext={sentence}
        onPointerMove={onPointer}
        onPointerLeave={() => setAt(null)}
        onKeyDown={onKey}
        onClick={openPoint}
        style={open && point?.score !== undefined ? { cursor: "pointer" } : undefined}
      >
        <svg className={classes.chart} height={HEIGHT} aria-hidden>
          {TICKS.map((value) => (
            <g key={value}>
              <line className={classes.grid} x1={ROOM.left} x2={right} y1={y(value)} y2={y(value)} />
              <line className={classes.grid} x1={x(value)} x2={x(value)} y1={y(0)} y2={y(1)} />
              <text x={ROOM.left - 6} y={y(value) + 4} textAnchor="end">
                {formatPercent(value, i18n.locale)}
              </text>
              <text x={x(value)} y={HEIGHT - 24} textAnchor={value === 1 ? "end" : "middle"}>
                {formatPercent(value, i18n.locale)}
              </text>
            </g>
          ))}
          <text x={(ROOM.left + right) / 2} y={HEIGHT - 6} textAnchor="middle">
            {xName}
          </text>
          {hasDiagonal && <line className={classes.guide} x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />}
          {mark !== undefined && (
            <line className={classes.guide} x1={x(mark)} x2={x(mark)} y1={y(0)} y2={y(1)} />
          )}
          {second && <path className={classes.second} d={pathOf(second.points, x, y)} />}
          <path className={classes.line} d={pathOf(points, x, y)} />
          {point && <circle className={classes.dot} cx={x(point.x)} cy={y(point.y)} r={5} />}
        </svg>
      </div>
      <Text size="sm" className="quiet" style={{ fontVariantNumeric: "tabular-nums" }}>
        {sentence}
      </Text>
    </figure>
  );
}

function pathOf(points: CurvePoint[], x: (value: number) => number, y: (value: number) => number): string {
  const parts = points.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`);
  return parts.length === 1 ? `M${parts[0]}h2` : parts.length ? `M${parts.join("L")}` : "";
}
