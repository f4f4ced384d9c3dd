import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Group, Stack, Text } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import type { Label } from "../../api/types";
import { scaleOf, ticks } from "../../trainings/chart";
import { LabelChip } from "../../ui/LabelChip";
import { formatNumber, formatPercent } from "../../ui/numbers";
import type { LiveModel } from "../guesses";
import classes from "../Live.module.css";
import {
  band,
  type CurvePoint,
  expectedFrom,
  isWorthMore,
  type LearningCurve,
  pointsOf,
  rangeOf,
  weakest,
} from "../learning";

interface Props {
  project: string;
  live: LiveModel;
  labels: readonly Label[];
}

/** What more labels are expected to bring, and which labels need them. */
export function Learning({ project, live, labels }: Props) {
  const { i18n } = useLingui();
  const curve = live.learning_curve;
  const poor = weakest(live.labels);
  const next = curve && expectedFrom(live.accuracy, live.labelled, curve);
  if (!curve || !next) return null;
  const percent = (share: number) => formatPercent(share, i18n.locale);
  const expected = percent(next.accuracy);
  const points = formatNumber(Math.max(1, Math.round(100 * next.deviation)), i18n.locale);
  return (
    <details className={classes.fold}>
      <summary>
        {isWorthMore(live.accuracy, next) ? (
          <Trans>With 50 more labelled images expect about {expected}</Trans>
        ) : (
          <Trans>50 more labelled images are expected to change little</Trans>
        )}
      </summary>
      <Stack gap="xs" mt="xs" maw={560}>
        <Chart curve={curve} />
        <Text size="sm">
          <Trans>
            With 50 more labelled images it is expected to be right on {expected} ± {points} points of images
            that it has not seen. Measured on parts of the labels that are there.
          </Trans>
        </Text>
        {poor.length > 0 && (
          <div>
            <Text size="sm">
              <Trans>These labels need images most:</Trans>
            </Text>
            {poor.map(({ label, right, held_out: tried, images }) => (
              <Group key={label} gap="xs" mt={4}>
                <Link
                  to="/projects/$project/images"
                  params={{ project }}
                  search={{ label: [label] }}
                  style={{ color: "inherit" }}
                >
                  <LabelChip
                    label={labels.find(({ id }) => id === label) ?? { name: "?", color: "#888888" }}
                  />
                </Link>
                <Text size="sm" className="quiet">
                  <Trans>
                    right on {right} of {tried}
                  </Trans>
                  {", "}
                  <Plural value={images} one="# labelled image" other="# labelled images" />
                </Text>
              </Group>
            ))}
          </div>
        )}
      </Stack>
    </details>
  );
}

const HEIGHT = 180;
const ROOM = { left: 46, right: 14, top: 10, bottom: 36 };

/** Accuracy by labelled images: measured drawn through, expected dashed, and how sure both are as a band. */
function Chart({ curve }: { curve: LearningCurve }) {
  const { t, i18n } = useLingui();
  const { ref, width: measured } = useElementSize();
  const width = Math.max(measured || 420, 200);
  const points = pointsOf(curve);
  const [low, high] = rangeOf(points);
  const last = points[points.length - 1]?.images ?? 1;
  const bottom = HEIGHT - ROOM.bottom;
  const x = scaleOf(0, last, ROOM.left, width - ROOM.right);
  const y = scaleOf(low, high, bottom, ROOM.top);
  const line = (part: readonly CurvePoint[]) =>
    part.length ? `M${part.map(({ images, accuracy }) => `${x(images)},${y(accuracy)}`).join("L")}` : "";
  const ahead = [...curve.measured.slice(-1), ...curve.expected];
  const said = points
    .map(({ images, accuracy }) => `${images}: ${formatPercent(accuracy, i18n.locale)}`)
    .join(", ");
  return (
    <div ref={ref}>
      <svg
        className={classes.chart}
        height={HEIGHT}
        role="img"
        aria-label={t`Accuracy by labelled images: ${said}`}
      >
        {ticks(low, high, 4).map((value) => (
          <g key={value}>
            <line
              className={classes.rule}
              x1={ROOM.left}
              x2={width - ROOM.right}
              y1={y(value)}
              y2={y(value)}
            />
            <text x={ROOM.left - 6} y={y(value) + 4} textAnchor="end">
              {formatPercent(value, i18n.locale)}
            </text>
          </g>
        ))}
        {ticks(0, last, 5).map((value) => (
          <text key={value} x={x(value)} y={bottom + 15} textAnchor="middle">
            {value.toLocaleString(i18n.locale)}
          </text>
        ))}
        <text x={(ROOM.left + width - ROOM.right) / 2} y={HEIGHT - 4} textAnchor="middle">
          {t`labelled images`}
        </text>
        <path className={classes.band} d={band(points, x, y)} />
        <path className={classes.measured} d={line(curve.measured)} />
        <path className={classes.expected} d={line(ahead)} />
        {points.map(({ images, accuracy }) => (
          <circle key={images} className={classes.point} cx={x(images)} cy={y(accuracy)} r={3} />
        ))}
      </svg>
    </div>
  );
}
