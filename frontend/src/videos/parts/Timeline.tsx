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
          <div className={classes.lane}>
            {stretches
              .filter(({ label }) => label === name)
              .map(({ start, end }) => (
                <button
                  key={start}
                  type="button"
                  className={classes.stretch}
                  style={{
                    left: place(start),
                    width: place(end - start),
                    background: colorOf(name),
                  }}
                  aria-label={`${name} ${clockOf(start)} – ${clockOf(end)}`}
                  onClick={() => seek(start)}
                />
              ))}
          </div>
        </div>
      ))}
    </Stack>
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
          <Trans>The video is being read through.</Trans>
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
