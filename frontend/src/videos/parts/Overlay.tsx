import { useLingui } from "@lingui/react/macro";
import { useMemo } from "react";
import type { Label } from "../../api/types";
import { formatPercent } from "../../ui/numbers";
import { useClock } from "../clock";
import { frameAt, lastBefore, type Rate } from "../frames";
import type { Seen, Video } from "../queries";
import classes from "../Videos.module.css";

interface Props {
  video: Video;
  rate: Rate;
  seen: Seen[];
  /** Frames of the player have the times of the predictions, not their numbers. */
  byTime: boolean;
  labels: Pick<Label, "name" | "color">[];
}

/** What the model found on the frame that is shown. */
export function Overlay({ video, rate, seen, byTime, labels }: Props) {
  const { t, i18n } = useLingui();
  const entries = useMemo(
    () => seen.map((row) => ({ time: byTime ? row.time : row.frame, row })),
    [seen, byTime],
  );
  const at = useClock(({ time }) => (byTime ? time : frameAt(time, rate)));
  const row = lastBefore(entries, at)?.row;
  const size = Math.max(video.width, video.height) / 36;
  const colorOf = (name: string) => labels.find((label) => label.name === name)?.color ?? "#fff";
  const [first] = row?.labels ?? [];
  return (
    <svg
      className={classes.overlay}
      viewBox={`0 0 ${video.width} ${video.height}`}
      role="img"
      aria-label={t`What the model finds on this frame`}
      data-frame={row?.frame}
      data-testid="overlay"
    >
      {row?.boxes.map(({ box, label, track }, place) => {
        const [left = 0, top = 0, right = 0, bottom = 0] = box;
        const shape = {
          x: left,
          y: top,
          width: right - left,
          height: bottom - top,
          fill: "none",
          vectorEffect: "non-scaling-stroke",
        } as const;
        return (
          <g key={track ?? `place-${place}`}>
            <rect {...shape} stroke="rgb(0 0 0 / 65%)" strokeWidth={4.5} />
            <rect {...shape} stroke={colorOf(label)} strokeWidth={2.5} />
            <text
              className={classes.name}
              x={left + size / 4}
              y={Math.max(size, top - size / 3)}
              fontSize={size}
              strokeWidth={size / 5}
            >
              {label}
              {track ? ` ${track}` : ""}
            </text>
          </g>
        );
      })}
      {row && row.boxes.length === 0 && first && (
        <text className={classes.name} x={size / 2} y={size * 1.4} fontSize={size} strokeWidth={size / 5}>
          {first.label} {formatPercent(first.score, i18n.locale)}
        </text>
      )}
    </svg>
  );
}
