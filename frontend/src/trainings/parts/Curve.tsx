import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Text } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useState } from "react";
import { formatNumber, formatPercent } from "../../ui/numbers";
import { nearest, path, scaleOf, ticks } from "../chart";
import type { Line } from "../history";
import classes from "../Trainings.module.css";

interface Props {
  title: string;
  lines: Line[];
  /** Of a share the axis is in percent and ends at one. */
  isShare?: boolean;
  best: number | null;
  starts: number[];
  epochs: number;
}

const HEIGHT = 210;
const ROOM = { left: 46, right: 14, top: 12, bottom: 26 };

/** One figure of a training, epoch by epoch, as it grows: what is learned from dashed, what is checked on drawn through. */
export function Curve({ title, lines, isShare = false, best, starts, epochs }: Props) {
  const { t, i18n } = useLingui();
  const { ref, width: measured } = useElementSize();
  const width = measured || 420;
  const [pointed, setPointed] = useState<number | null>(null);
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value));
  const box = {
    left: ROOM.left,
    right: Math.max(width - ROOM.right, ROOM.left + 40),
    top: ROOM.top,
    bottom: HEIGHT - ROOM.bottom,
  };
  const x = scaleOf(1, Math.max(2, epochs), box.left, box.right);
  const low = isShare ? Math.max(0, Math.min(...values) - 0.05) : 0;
  const high = isShare ? 1 : Math.max(...values, 1e-6);
  const y = scaleOf(low, high, box.bottom, box.top);
  const show = (value: number) =>
    isShare ? formatPercent(value, i18n.locale, 1) : formatNumber(value, i18n.locale);
  const shown = pointed ?? best ?? epochs;
  const at = (line: Line) => nearest(line.points, shown);
  const names = { train: t`learning`, validation: t`checking` };
  const point = (event: React.PointerEvent<SVGSVGElement>) => {
    const { left } = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - left - box.left) / (box.right - box.left);
    setPointed(Math.min(epochs, Math.max(1, Math.round(1 + share * (Math.max(2, epochs) - 1)))));
  };
  return (
    <figure ref={ref} style={{ margin: 0, minWidth: 0 }}>
      <Group justify="space-between" gap="xs" mb={4}>
        <Text component="figcaption" size="sm" fw={600}>
          {title}
        </Text>
        <Group gap="sm">
          {lines.map((line) => {
            const value = at(line)?.value;
            return (
              <Group key={line.kind} gap={5} wrap="nowrap">
                <svg width="18" height="8" aria-hidden>
                  <line x1="0" x2="18" y1="4" y2="4" className={classes[line.kind]} />
                </svg>
                <Text size="xs" className="quiet" style={{ fontVariantNumeric: "tabular-nums" }}>
                  {names[line.kind]} {value === undefined ? "" : show(value)}
                </Text>
              </Group>
            );
          })}
        </Group>
      </Group>
      <svg
        className={classes.chart}
        height={HEIGHT}
        role="img"
        aria-label={t`${title}: after epoch ${shown}, ${lines.map((line) => `${names[line.kind]} ${show(at(line)?.value ?? 0)}`).join(", ")}`}
        onPointerMove={point}
        onPointerLeave={() => setPointed(null)}
      >
        {ticks(low, high).map((value) => (
          <g key={value}>
            <line className={classes.grid} x1={box.left} x2={box.right} y1={y(value)} y2={y(value)} />
            <text x={box.left - 6} y={y(value) + 4} textAnchor="end">
              {isShare ? formatPercent(value, i18n.locale) : formatNumber(value, i18n.locale)}
            </text>
          </g>
        ))}
        {ticks(1, Math.max(2, epochs), 6)
          .filter((value) => Number.isInteger(value) && value >= 1)
          .map((value) => (
            <text key={value} x={x(value)} y={HEIGHT - 8} textAnchor="middle">
              {value.toLocaleString(i18n.locale)}
            </text>
          ))}
        {starts.map((epoch) => (
          <line
            key={epoch}
            className={classes.grid}
            x1={x(epoch - 0.5)}
            x2={x(epoch - 0.5)}
            y1={box.top}
            y2={box.bottom}
          />
        ))}
        {best !== null && (
          <line className={classes.best} x1={x(best)} x2={x(best)} y1={box.top} y2={box.bottom} />
        )}
        {pointed !== null && (
          <line className={classes.cursor} x1={x(pointed)} x2={x(pointed)} y1={box.top} y2={box.bottom} />
        )}
        {lines.map((line) => (
          <path key={line.kind} className={classes[line.kind]} d={path(line.points, x, y)} />
        ))}
        {best !== null &&
          lines
            .filter(({ kind }) => kind === "validation")
            .map((line) => {
              const found = line.points.find(({ epoch }) => epoch === best);
              return found ? (
                <circle key="best" className={classes.dot} cx={x(best)} cy={y(found.value)} r={4.5} />
              ) : null;
            })}
      </svg>
      <Text size="xs" className="quiet" ta="right" style={{ fontVariantNumeric: "tabular-nums" }}>
        {pointed === null && best !== null ? (
          <Trans>best after epoch {best}</Trans>
        ) : (
          <Trans>epoch {shown}</Trans>
        )}
      </Text>
    </figure>
  );
}
