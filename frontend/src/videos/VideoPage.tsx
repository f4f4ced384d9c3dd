import { Trans } from "@lingui/react/macro";
import { Anchor, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import type { Job } from "../api/types";
import { useModels } from "../models/queries";
import { useLabels, useMayEdit, useProject } from "../projects/queries";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { usePageNavigate } from "../ui/usePageNavigate";
import { useClock } from "./clock";
import type { Rate } from "./frames";
import { ChooseFrames } from "./parts/ChooseFrames";
import { DeleteVideo } from "./parts/DeleteVideo";
import { Facts } from "./parts/Facts";
import { Overlay } from "./parts/Overlay";
import { Player } from "./parts/Player";
import { Predictions } from "./parts/Predictions";
import { Timeline } from "./parts/Timeline";
import { Tracks } from "./parts/Tracks";
import {
  makeProxy,
  readAgain,
  type Seen,
  type Track,
  useJobFile,
  useTaken,
  useVideo,
  useVideoJobs,
  type Video,
} from "./queries";
import { usePlayer } from "./usePlayer";
import classes from "./Videos.module.css";

/** A video: play it, step through its frames, take some of them as images, and let a model look at all of it. */
export default function VideoPage() {
  const { project, video: id } = useParams({ from: "/shell/projects/$project/videos/$video" });
  const { data: video, error, refetch } = useVideo(project, id);
  return (
    <Page>
      <Stack gap="md">
        <div>
          <Anchor component={Link} to={`/projects/${project}/videos`} size="sm">
            <Trans>All videos</Trans>
          </Anchor>
          <Title order={1} size="h2" mt={4} style={{ overflowWrap: "anywhere" }}>
            {video?.filename ?? <Skeleton height={34} width={260} />}
          </Title>
          {video && <Facts video={video} />}
        </div>
        <Problem error={error} retry={() => void refetch()} />
        {!video && !error && <Skeleton height={420} radius="md" />}
        {video && <Opened key={video.id} project={project} video={video} />}
      </Stack>
    </Page>
  );
}

const NOTHING: never[] = [];

function Opened({ project, video }: { project: string; video: Video }) {
  const search = useSearch({ from: "/shell/projects/$project/videos/$video" });
  const navigate = usePageNavigate({ from: "/projects/$project/videos/$video" });
  const mayEdit = useMayEdit(project);
  const { data: about } = useProject(project);
  const { data: labels = NOTHING } = useLabels(project);
  const { data: models = NOTHING } = useModels(project);
  const { data: jobs = NOTHING as Job[], error } = useVideoJobs(project, video.id);
  const { data: taken = NOTHING } = useTaken(project, video.id);
  const runs = jobs.filter(({ kind }) => kind === "prediction");
  const shown = runs.find(({ id, state }) => (search.run ? id === search.run : state === "succeeded"));
  const predictions = useJobFile<{ predictions: Seen[] }>(shown, "predictions.json");
  const tracks = useJobFile<Track[]>(shown, "tracks.json");
  const { source, rate, isOriginal, refuse, proxy } = useSource(video, jobs);
  const [player, setPlayer] = useState<HTMLVideoElement | null>(null);
  const controls = usePlayer(player, rate);
  useStart(controls.seek, search.time);
  const colorOf = (name: string) => labels.find((label) => label.name === name)?.color ?? "#888888";
  const result = shown?.result?.kind === "prediction" ? shown.result : undefined;
  const survey = jobs.find(({ kind }) => kind === "video_survey");
  const unread = !video.is_surveyed && survey?.state === "failed" ? survey : undefined;
  const newest = jobs.find(({ kind }) => kind === "video_frames")?.result;
  return (
    <div className={classes.page}>
      <Stack gap="sm" miw={0}>
        <Player
          video={video}
          source={source}
          rate={rate}
          controls={controls}
          setPlayer={setPlayer}
          onRefused={refuse}
          proxy={proxy}
          convert={mayEdit ? () => void makeProxy(project, video.id) : undefined}
        >
          {predictions.data && (
            <Overlay
              video={video}
              rate={rate}
              seen={predictions.data.predictions}
              byTime={isOriginal && video.is_variable_rate === true}
              labels={labels}
            />
          )}
        </Player>
        <Timeline
          video={video}
          taken={taken.flatMap(({ frame_time }) => (frame_time === null ? [] : [frame_time]))}
          counted={newest?.kind === "video_frames" && newest.dry_run ? (newest.times ?? []) : NOTHING}
          stretches={result?.timeline ?? NOTHING}
          colorOf={colorOf}
          seek={controls.seek}
        />
        <Problem error={error ?? predictions.error ?? tracks.error} />
        {unread?.error && (
          <Problem
            error={new Error(unread.error.detail)}
            retry={mayEdit ? () => void readAgain(project, unread.id) : undefined}
          />
        )}
        {tracks.data && (
          <Tracks tracks={tracks.data} counts={result?.counts ?? {}} colorOf={colorOf} seek={controls.seek} />
        )}
      </Stack>
      <Stack gap="md" miw={0}>
        {mayEdit && <ChooseFrames project={project} video={video} models={models} jobs={jobs} />}
        <Predictions
          project={project}
          video={video}
          models={models}
          isDetection={about?.task === "detection"}
          runs={runs}
          shown={shown}
          show={(run) => void navigate({ search: { ...search, run }, replace: true, resetScroll: false })}
        />
        {!mayEdit && (
          <Text size="sm" className="quiet">
            <Trans>You may look at this project. Its editors take frames.</Trans>
          </Text>
        )}
        {mayEdit && <DeleteVideo project={project} video={video} />}
      </Stack>
    </div>
  );
}

/** What is played: the file itself, or a version for browsers where the file is refused; null: neither. */
function useSource(video: Video, jobs: Job[]) {
  const [isRefused, setIsRefused] = useState(false);
  const proxy = jobs.find(({ kind }) => kind === "video_proxy");
  const made = proxy?.result?.kind === "video_proxy" ? proxy.result : undefined;
  // Signed addresses change each time they are told: a player that gets another one begins again.
  const [address, setAddress] = useState<string | null>(null);
  const found = made?.files?.[0]?.url ?? null;
  useEffect(() => setAddress((before) => before ?? found), [found]);
  const { fps, frame_count: count } = video;
  const rate = useMemo<Rate>(
    () => (isRefused && made?.fps ? { fps: made.fps, count: made.frames ?? 0 } : { fps, count }),
    [isRefused, made?.fps, made?.frames, fps, count],
  );
  const [proxyRefused, setProxyRefused] = useState(false);
  return {
    source: isRefused ? (proxyRefused ? null : address) : `/api/v1/videos/${video.id}/file/`,
    rate,
    isOriginal: !isRefused,
    proxy,
    refuse: () => (isRefused ? setProxyRefused(true) : setIsRefused(true)),
  };
}

/** Begins where the address says. */
function useStart(seek: (time: number) => void, time = 0): void {
  const [start] = useState(time);
  useEffect(() => {
    useClock.setState({ time: 0, isPlaying: false });
    if (start > 0) seek(start);
  }, [seek, start]);
}
