import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Button, Group, Loader, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type ReactNode, useEffect } from "react";
import type { Job } from "../../api/types";
import { useShortcut } from "../../keyboard/useShortcut";
import { Icon } from "../../ui/Icon";
import { useClock } from "../clock";
import { clockOf, frameAt, type Rate } from "../frames";
import { isOpen, type Video } from "../queries";
import type { Controls } from "../usePlayer";
import classes from "../Videos.module.css";

interface Props {
  video: Video;
  /** Null: the browser cannot play it, so single frames are shown. */
  source: string | null;
  rate: Rate;
  controls: Controls;
  setPlayer: (player: HTMLVideoElement | null) => void;
  onRefused: () => void;
  /** Work that makes a version for browsers, and how to begin it. */
  proxy: Job | undefined;
  convert?: () => void;
  children: ReactNode;
}

/** The video, or its frames, with what is drawn over it, and what moves it. */
export function Player({ video, source, rate, controls, setPlayer, onRefused, children, ...rest }: Props) {
  const { t } = useLingui();
  return (
    <section aria-label={t`Player`}>
      <div className={classes.stage} style={{ aspectRatio: `${video.width} / ${video.height}` }}>
        {source ? (
          <video
            key={source}
            ref={setPlayer}
            className={classes.shown}
            src={source}
            preload="auto"
            muted
            playsInline
            aria-label={video.filename}
            onError={onRefused}
            onLoadedMetadata={(event) => {
              // Sound without a picture: the browser has no decoder for it.
              if (event.currentTarget.videoWidth === 0) onRefused();
            }}
            onClick={controls.toggle}
          />
        ) : (
          <SingleFrame video={video} rate={rate} />
        )}
        {children}
      </div>
      <Bar video={video} rate={rate} controls={controls} canPlay={source !== null} />
      {!source && <NotPlayable {...rest} />}
    </section>
  );
}

function SingleFrame({ video, rate }: Pick<Props, "video" | "rate">) {
  const { t } = useLingui();
  const frame = useClock(({ time }) => frameAt(time, rate));
  const [asked] = useDebouncedValue(frame, 80);
  const address = (index: number) => `/api/v1/videos/${video.id}/frame/?index=${index}`;
  useEffect(() => {
    const next = new Image();
    if (asked + 1 < rate.count) next.src = `/api/v1/videos/${video.id}/frame/?index=${asked + 1}`;
  }, [asked, video.id, rate.count]);
  return <img className={classes.shown} src={address(asked)} alt={t`Frame ${asked} of ${video.filename}`} />;
}

function Bar({
  video,
  rate,
  controls,
  canPlay,
}: Pick<Props, "video" | "rate" | "controls"> & { canPlay: boolean }) {
  const { t } = useLingui();
  const isPlaying = useClock((clock) => clock.isPlaying);
  const scope = t`Video`;
  const back = {
    id: "video.back",
    title: t`Previous frame`,
    keys: [",", "ArrowLeft"],
    run: () => controls.step(-1),
  };
  const on = { id: "video.on", title: t`Next frame`, keys: [".", "ArrowRight"], run: () => controls.step(1) };
  const play = { id: "video.play", title: t`Play or pause`, keys: ["Space", "K"], run: controls.toggle };
  useShortcut({ ...back, scope });
  useShortcut({ ...on, scope });
  useShortcut({ ...play, scope, disabled: !canPlay });
  // By frames, since steps that come faster than the player gets there add up.
  const jump = (seconds: number) => controls.step(seconds * Math.round(rate.fps || 1));
  useShortcut({ id: "video.secondBack", scope, title: t`A second back`, keys: "J", run: () => jump(-1) });
  useShortcut({ id: "video.secondOn", scope, title: t`A second on`, keys: "L", run: () => jump(1) });
  return (
    <Group justify="space-between" mt="xs" gap="xs">
      <Group gap={6}>
        <ActionIcon variant="default" size="lg" aria-label={back.title} onClick={back.run}>
          <Icon name="chevron-left" />
        </ActionIcon>
        {canPlay && (
          <ActionIcon size="lg" aria-label={isPlaying ? t`Pause` : t`Play`} onClick={play.run}>
            <Icon name={isPlaying ? "player-pause" : "player-play"} />
          </ActionIcon>
        )}
        <ActionIcon variant="default" size="lg" aria-label={on.title} onClick={on.run}>
          <Icon name="chevron-right" />
        </ActionIcon>
      </Group>
      <Readout video={video} rate={rate} />
    </Group>
  );
}

function Readout({ video, rate }: Pick<Props, "video" | "rate">) {
  const time = useClock((clock) => clock.time);
  const [frame, last] = [frameAt(time, rate), Math.max(0, rate.count - 1)];
  return (
    <Text size="sm" className={classes.clock} data-testid="readout">
      {clockOf(time)} / {clockOf(video.duration)}
      {" · "}
      <Trans>
        frame {frame} of {last}
      </Trans>
    </Text>
  );
}

function NotPlayable({ proxy, convert }: Pick<Props, "proxy" | "convert">) {
  const { done, total } = proxy?.progress ?? {};
  return (
    <Group mt="xs" gap="sm" wrap="nowrap" align="flex-start">
      <Icon name="info-circle" />
      <div>
        <Text size="sm">
          <Trans>Your browser cannot play this format. You see its frames one by one.</Trans>
        </Text>
        {proxy && isOpen(proxy) ? (
          <Group gap="xs" role="status">
            <Loader size="xs" />
            <Text size="sm" className="quiet">
              <Trans>
                A version for browsers is being made: {Math.floor((100 * (done ?? 0)) / (total || 1))} %
              </Trans>
            </Text>
          </Group>
        ) : (
          <>
            {proxy?.error && (
              <Text size="sm" c="var(--studio-bad)">
                {proxy.error.detail}
              </Text>
            )}
            {convert && (
              <Button mt={6} size="compact-sm" variant="default" onClick={convert}>
                <Trans>Make a version for browsers</Trans>
              </Button>
            )}
          </>
        )}
      </div>
    </Group>
  );
}
