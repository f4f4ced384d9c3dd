import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Text } from "@mantine/core";
import { formatPercent } from "../../ui/numbers";
import type { OutcomeBox } from "../queries";

type Match = OutcomeBox["match"];

/** Three kinds of lines and three signs beside three colours, for colour alone says nothing to many. */
export const STYLES: Record<Match, { color: string; dash: string | undefined; sign: string }> = {
  hit: { color: "#4cc38a", dash: undefined, sign: "✓" },
  false_positive: { color: "#ff6b5e", dash: "9 5", sign: "✗" },
  miss: { color: "#ffd21f", dash: "2 4", sign: "?" },
};

/** What was found, what was wrongly found and what was missed, over an image of this size. */
export function Boxes({ boxes, size, hasNames }: { boxes: OutcomeBox[]; size: number; hasNames?: boolean }) {
  const { i18n } = useLingui();
  const height = size / 30;
  return boxes.map(({ match, label, score, box, annotation }, place) => {
    const [left = 0, top = 0, right = 0, bottom = 0] = box ?? annotation ?? [];
    const { color, dash, sign } = STYLES[match];
    const shape = {
      x: left,
      y: top,
      width: right - left,
      height: bottom - top,
      fill: "none",
      vectorEffect: "non-scaling-stroke",
    } as const;
    return (
      <g key={`${match}-${label}-${left}-${top}-${place}`} data-match={match}>
        <rect {...shape} stroke="rgb(0 0 0 / 70%)" strokeWidth={hasNames ? 5 : 3.5} />
        <rect {...shape} stroke={color} strokeWidth={hasNames ? 3 : 2} strokeDasharray={dash} />
        {hasNames && (
          <text
            x={left + height / 5}
            // What was missed stands inside: a wrong name of the same thing is above it.
            y={match === "miss" ? bottom - height / 3 : Math.max(height, top - height / 3)}
            fontSize={height}
            strokeWidth={height / 5}
          >
            {sign} {label}
            {score !== null && ` ${formatPercent(score, i18n.locale)}`}
          </text>
        )}
      </g>
    );
  });
}

/** What the three kinds of boxes mean, with how many of each there are. */
export function Legend({ boxes }: { boxes: OutcomeBox[] }) {
  const { t } = useLingui();
  const names: Record<Match, string> = {
    hit: t`found`,
    false_positive: t`false alarm`,
    miss: t`missed`,
  };
  if (boxes.length === 0)
    return (
      <Text size="sm" className="quiet">
        <Trans>Nothing is annotated here, and nothing was found.</Trans>
      </Text>
    );
  return (
    <Group gap="md">
      {(Object.keys(names) as Match[]).map((match) => (
        <Group key={match} gap={6} wrap="nowrap">
          <svg width="30" height="14" aria-hidden>
            <rect x="2" y="2" width="26" height="10" fill="none" stroke="rgb(0 0 0 / 70%)" strokeWidth="4" />
            <rect
              x="2"
              y="2"
              width="26"
              height="10"
              fill="none"
              stroke={STYLES[match].color}
              strokeWidth="2.25"
              strokeDasharray={STYLES[match].dash}
            />
          </svg>
          <Text size="sm">
            {STYLES[match].sign} {names[match]}: {boxes.filter((box) => box.match === match).length}
          </Text>
        </Group>
      ))}
    </Group>
  );
}
