import { Plural, Trans, useLingui } from "@lingui/react/macro";
import {
  Anchor,
  Button,
  Group,
  NumberInput,
  Paper,
  Progress,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  Text,
  Title,
} from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Job } from "../../api/types";
import type { ModelSummary } from "../../models/queries";
import { Problem } from "../../ui/Problem";
import { countEvery } from "../frames";
import { type FramesRequest, type FramesResult, isOpen, takeFrames, type Video } from "../queries";

interface Props {
  project: string;
  video: Video;
  /** Of the project's task, the newest first. */
  models: ModelSummary[];
  jobs: Job[];
}

type Way = "time" | "scenes" | "doubt";

/** How sure a model may be of a frame that is taken: the usual, from 0 (sure) to 1. */
const DOUBT = 0.4;

/** Chooses frames that become images: at even distances, of each scene, or where a model is unsure. */
export function ChooseFrames({ project, video, models, jobs }: Props) {
  const { t } = useLingui();
  const [way, setWay] = useState<Way>("time");
  const [seconds, setSeconds] = useState<number | string>(1);
  const [doubt, setDoubt] = useState<number | string>(DOUBT);
  const [chosen, setChosen] = useState<string | null>(null);
  const [skips, setSkips] = useState(true);
  const model = way === "doubt" ? (chosen ?? models[0]?.id ?? null) : chosen;
  const asked = requestOf(way, Number(seconds), Number(doubt), model, skips);
  const { mutate, error, isPending } = useMutation({
    mutationFn: (dry: boolean) => takeFrames(project, video.id, dry ? { ...asked, dry_run: true } : asked),
  });
  const running = jobs.find((job) => job.kind === "video_frames" && isOpen(job));
  const exact = way === "time" ? countEvery(Number(seconds), video.duration, video.frame_count) : null;
  const isReady = Number(seconds) > 0 && (way !== "doubt" || model !== null);
  return (
    <Paper className="panel" p="md" component="section" aria-label={t`Frames become images`}>
      <Stack gap="sm">
        <Title order={2} size="h4">
          <Trans>Frames become images</Trans>
        </Title>
        <SegmentedControl
          fullWidth
          aria-label={t`Which frames`}
          value={way}
          onChange={(value) => setWay(value as Way)}
          data={[
            { value: "time", label: t`By time` },
            { value: "scenes", label: t`By scene` },
            { value: "doubt", label: t`By doubt`, disabled: models.length === 0 },
          ]}
        />
        <Text size="sm" className="quiet">
          {way === "time" && <Trans>One frame every so many seconds.</Trans>}
          {way === "scenes" && (
            <Trans>The first frame of each scene. The video is read through for that.</Trans>
          )}
          {way === "doubt" && (
            <Trans>
              A model looks at one frame every so many seconds; those of which it is unsure are taken.
            </Trans>
          )}
        </Text>
        {way !== "scenes" && (
          <NumberInput
            hideControls
            label={t`Seconds between frames`}
            value={seconds}
            onChange={setSeconds}
            min={0.04}
            max={3600}
            step={0.5}
            decimalScale={3}
          />
        )}
        {way === "doubt" && (
          <NumberInput
            hideControls
            label={t`Least doubt`}
            description={t`From 0 (every frame) to 1 (only where it is quite undecided).`}
            value={doubt}
            onChange={setDoubt}
            min={0}
            max={1}
            step={0.1}
            decimalScale={2}
          />
        )}
        {models.length > 0 && (
          <Select
            label={way === "doubt" ? t`Model` : t`Suggestions by`}
            placeholder={t`no model`}
            clearable={way !== "doubt"}
            clearButtonProps={{ "aria-label": t`No model` }}
            data={models.map(({ id, name, version }) => ({ value: id, label: `${name} v${version}` }))}
            value={model}
            onChange={setChosen}
          />
        )}
        <Switch
          label={t`Leave out frames that look like one before`}
          checked={skips}
          onChange={(event) => setSkips(event.currentTarget.checked)}
        />
        <Problem error={error} />
        {running ? (
          <Running job={running} />
        ) : (
          <Group gap="sm">
            <Button disabled={!isReady || exact === 0} loading={isPending} onClick={() => mutate(false)}>
              {exact === null ? (
                <Trans>Take the frames</Trans>
              ) : skips ? (
                <Plural value={exact} one="Take up to # frame" other="Take up to # frames" />
              ) : (
                <Plural value={exact} one="Take # frame" other="Take # frames" />
              )}
            </Button>
            {exact === null && (
              <Button variant="default" disabled={!isReady || isPending} onClick={() => mutate(true)}>
                <Trans>Count them first</Trans>
              </Button>
            )}
          </Group>
        )}
        {!running && (
          <Last project={project} video={video} job={jobs.find(({ kind }) => kind === "video_frames")} />
        )}
      </Stack>
    </Paper>
  );
}

function requestOf(
  way: Way,
  seconds: number,
  doubt: number,
  model: string | null,
  skips: boolean,
): FramesRequest {
  const rule = way === "scenes" ? { scenes: true } : { every_seconds: seconds };
  return { ...rule, model, skip_similar: skips, ...(way === "doubt" ? { min_uncertainty: doubt } : {}) };
}

function Running({ job }: { job: Job }) {
  const { t } = useLingui();
  const { done, total } = job.progress;
  const share = done && total ? Math.min(100, (100 * done) / total) : 0;
  return (
    <div role="status">
      <Text size="sm">
        {job.state === "queued" ? <Trans>It waits for its turn.</Trans> : <Trans>The video is read…</Trans>}
      </Text>
      <Progress value={share} mt={4} aria-label={t`${Math.round(share)} percent`} />
    </div>
  );
}

/** What became of the newest job. */
function Last({ project, video, job }: { project: string; video: Video; job: Job | undefined }) {
  const all = video.frame_images > 0 && (
    <Anchor
      size="sm"
      renderRoot={(props) => (
        <Link to="/projects/$project/images" params={{ project }} search={{ video: video.id }} {...props} />
      )}
    >
      <Plural value={video.frame_images} one="Show the # image" other="Show the # images" />
    </Anchor>
  );
  return (
    <Stack gap={2} aria-live="polite">
      {job?.error && (
        <Text size="sm" c="var(--studio-bad)">
          {job.error.detail}
        </Text>
      )}
      {job?.result?.kind === "video_frames" && <Outcome result={job.result} />}
      {all}
    </Stack>
  );
}

function Outcome({ result }: { result: FramesResult }) {
  const { dry_run: isCount, frames = 0, created = 0, duplicates = 0, similar = 0, left = 0 } = result;
  if (isCount)
    return (
      <Text size="sm">
        <Plural
          value={frames}
          _0="No frame would be taken."
          one="# frame would be taken."
          other="# frames would be taken."
        />
      </Text>
    );
  return (
    <Text size="sm">
      <Plural value={created} _0="No new image." one="# new image." other="# new images." />{" "}
      {similar > 0 && <Plural value={similar} one="# looked like another." other="# looked like others." />}{" "}
      {duplicates > 0 && (
        <Plural value={duplicates} one="# was there already." other="# were there already." />
      )}{" "}
      {left > 0 && <Plural value={left} one="Of # the model is sure." other="Of # the model is sure." />}
    </Text>
  );
}
