import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Group, Stack, Text } from "@mantine/core";
import { LabelChip } from "../../ui/LabelChip";
import { useClock } from "../clock";
import { clamp, clockOf } from "../frames";
import type { Video } from "../queries";
import classes from "../Videos.module.css";

export interface Stretch {
  label: string;
  start: number;
  end: number;
}

interface Props {
  video: Video;
  /** Seconds of the frames that were made images, and of those that a count has found. */
  taken: number[];
  counted: number[];
  stretches: Stretch[];
  colorOf: (label: string) => string;
  seek: (time: number) => void;
}

const MOST_LABELS = 8;

/** The video from its beginning to its end: pictures, frames that were taken, and what a model sees when. */
export function Timeline({ video, taken, counted, stretches, colorOf, seek }: Props) {
  const duration = video.duration || 1;
  const place = (time: number) => `${clamp((100 * time) / duration, 0, 100)}%`;
  const names = [...new Set(stretches.map(({ label }) => label))].slice(0, MOST_LABELS);
  return (
    <Stack gap={6}>
      <Slider video={video} seek={seek}>
        <Strip video={video} />
        <div className={classes.marks} data-testid="marks">
          {taken.map((time, nth) => (
            <span key={`taken-${nth}`} className={classes.mark} style={{ left: place(time) }} />
          ))}
          {counted.map((time, nth) => (
            <span
              key={`counted-${nth}`}
              className={classes.mark}
              data-kind="counted"
              style={{ left: place(time) }}
            />
          ))}
        </div>
      </Slider>
      {(taken.length > 0 || counted.length > 0) && (
        <Group gap="md">
          {taken.length > 0 && (
            <Text size="xs" className="quiet">
              ▮ <Plural value={taken.length} one="# frame is an image" other="# frames are images" />
            </Text>
          )}
          {counted.length > 0 && (
            <Text size="xs" className="quiet">
              ▯ <Trans>would be taken</Trans>
            </Text>
          )}
        </Group>
      )}
      {names.map((name) => (
        <div key={name} className={classes.row}>
          <LabelChip label={{ name, color: colorOf(name) }} />
          <Lane
            name={name}
            color={colorOf(name)}
            stretches={stretches.filter(({ label }) => label === name)}
            duration={duration}
            seek={seek}
          />
        </div>
      ))}
    </Stack>
  );
}

interface LaneProps extends Pick<Props, "stretches" | "seek"> {
  name: string;
  color: string;
  duration: number;
}

/** When a label is seen. A click goes where it points, a key to the next time. */
function Lane({ name, color, stretches, duration, seek }: LaneProps) {
  const { t } = useLingui();
  const next = () => {
    const { time } = useClock.getState();
    return (stretches.find(({ start }) => start > time + 0.001) ?? stretches[0])?.start ?? 0;
  };
  return (
    <button
      type="button"
      className={classes.lane}
      aria-label={t`${name}: to the next time it is seen, of ${stretches.length}`}
      onClick={({ detail, clientX, currentTarget }) => {
        const { left, width } = currentTarget.getBoundingClientRect();
        seek(detail === 0 ? next() : clamp((clientX - left) / width, 0, 1) * duration);
      }}
    >
      {stretches.map(({ start, end }) => (
        <span
          key={start}
          className={classes.stretch}
          style={{
            left: `${clamp((100 * start) / duration, 0, 100)}%`,
            width: `${clamp((100 * (end - start)) / duration, 0, 100)}%`,
            background: color,
          }}
        />
      ))}
    </button>
  );
}

function Slider({ video, seek, children }: Pick<Props, "video" | "seek"> & { children: React.ReactNode }) {
  const { t } = useLingui();
  const time = useClock((clock) => clock.time);
  const duration = video.duration || 1;
  const drag = (event: React.PointerEvent<HTMLDivElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    seek(clamp((event.clientX - left) / width, 0, 1) * duration);
  };
  return (
    <div
      className={classes.timeline}
      role="slider"
      tabIndex={0}
      aria-label={t`Place in the video`}
      aria-valuemin={0}
      aria-valuemax={duration}
      aria-valuenow={time}
      aria-valuetext={clockOf(time)}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        drag(event);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) drag(event);
      }}
      onKeyDown={(event) => {
        if (event.key === "Home") seek(0);
        else if (event.key === "End") seek(duration);
        else return;
        event.preventDefault();
      }}
    >
      {children}
      <span className={classes.head} style={{ left: `${clamp((100 * time) / duration, 0, 100)}%` }} />
    </div>
  );
}

/** The pictures of the strip stand at even distances; the last one may reach beyond the end. */
function Strip({ video }: Pick<Props, "video">) {
  const { t } = useLingui();
  const { strip_times: times, strip_url: address, duration } = video;
  if (!address)
    return (
      <div className={classes.strip}>
        <Text size="xs" className="quiet" p="sm">
          <Trans>The studio has not read the video through yet.</Trans>
        </Text>
      </div>
    );
  const step = times.length > 1 ? (times[1] ?? 0) - (times[0] ?? 0) : duration;
  const width = duration > 0 ? (100 * step * times.length) / duration : 100;
  return (
    <div className={classes.strip}>
      <img
        src={address}
        alt={t`Pictures of the video from its beginning to its end`}
        style={{ width: `${width}%` }}
        draggable={false}
      />
    </div>
  );
}
