import { Trans, useLingui } from "@lingui/react/macro";
import {
  Anchor,
  Button,
  Group,
  Paper,
  Progress,
  Radio,
  Select,
  Stack,
  Switch,
  Text,
  Title,
} from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { Job } from "../../api/types";
import type { ModelSummary } from "../../models/queries";
import { formatBytes } from "../../ui/bytes";
import { formatTime } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import { isOpen, predictVideo, type Video } from "../queries";

interface Props {
  project: string;
  video: Video;
  models: ModelSummary[];
  isDetection: boolean;
  /** Predictions of the whole video, the newest first. */
  runs: Job[];
  shown: Job | undefined;
  show: (run: string | undefined) => void;
}

/** A model over the whole video: begin it, choose which one is drawn, and take its files away. */
export function Predictions({ project, video, models, isDetection, runs, shown, show }: Props) {
  const { t, i18n } = useLingui();
  const [chosen, setChosen] = useState<string | null>(null);
  const [follows, setFollows] = useState(true);
  const model = chosen ?? models[0]?.id;
  const { mutate, error, isPending } = useMutation({
    mutationFn: (of: string) =>
      predictVideo(project, { video: video.id, model: of, tracking: isDetection && follows }),
    onSuccess: (job) => show(job.id),
  });
  return (
    <Paper className="panel" p="md" component="section" aria-label={t`What a model sees`}>
      <Stack gap="sm">
        <Title order={2} size="h4">
          <Trans>What a model sees</Trans>
        </Title>
        {models.length === 0 && (
          <Text size="sm" className="quiet">
            <Trans>The project has no model yet. Train one, and it can look at the whole video.</Trans>
          </Text>
        )}
        {models.length > 0 && (
          <>
            <Select
              label={t`Model`}
              allowDeselect={false}
              data={models.map(({ id, name, version }) => ({ value: id, label: `${name} v${version}` }))}
              value={model ?? null}
              onChange={setChosen}
            />
            {isDetection && (
              <Switch
                label={t`Follow each thing through the video, and count`}
                checked={follows}
                onChange={(event) => setFollows(event.currentTarget.checked)}
              />
            )}
            <div>
              <Button loading={isPending} disabled={!model} onClick={() => model && mutate(model)}>
                <Trans>Look at the whole video</Trans>
              </Button>
            </div>
          </>
        )}
        <Problem error={error} />
        {runs.length > 0 && (
          <Radio.Group
            label={t`Drawn over the video`}
            value={shown?.id ?? ""}
            onChange={(run) => show(run || undefined)}
          >
            <Stack gap={8} mt={6}>
              {runs.map((run) => (
                <div key={run.id}>
                  <Radio
                    value={run.id}
                    disabled={run.state !== "succeeded"}
                    label={`${run.model?.name ?? t`a deleted model`} · ${formatTime(run.created_at, i18n.locale)}`}
                  />
                  <State run={run} />
                </div>
              ))}
            </Stack>
          </Radio.Group>
        )}
        {shown?.result?.kind === "prediction" && <Files run={shown} />}
      </Stack>
    </Paper>
  );
}

function State({ run }: { run: Job }) {
  const { t } = useLingui();
  const { done, total } = run.progress;
  const share = done && total ? Math.min(100, (100 * done) / total) : 0;
  if (isOpen(run))
    return (
      <div role="status">
        <Text size="xs" className="quiet">
          {run.state === "queued" ? <Trans>It waits for its turn.</Trans> : <Trans>The model looks…</Trans>}
        </Text>
        <Progress size="sm" value={share} aria-label={t`${Math.round(share)} percent`} />
      </div>
    );
  return run.error ? (
    <Text size="xs" c="var(--studio-bad)">
      {run.error.detail}
    </Text>
  ) : null;
}

function Files({ run }: { run: Job }) {
  const { t, i18n } = useLingui();
  if (run.result?.kind !== "prediction") return null;
  const { files = [], note } = run.result;
  const names: Record<string, string> = {
    "annotated.mp4": t`Annotated video`,
    "predictions.csv": t`Table (CSV)`,
    "predictions.json": t`Everything (JSON)`,
    "tracks.json": t`Tracks (JSON)`,
    "timeline.json": t`Timeline (JSON)`,
  };
  return (
    <Stack gap={2}>
      <Text size="sm" fw={600}>
        <Trans>Download</Trans>
      </Text>
      <Group gap="md">
        {files.map(({ name, size, url }) => (
          <Anchor key={name} size="sm" href={url} download={name}>
            {names[name] ?? name}{" "}
            <Text span size="xs" className="quiet">
              {formatBytes(size, i18n.locale)}
            </Text>
          </Anchor>
        ))}
      </Group>
      {note && (
        <Text size="xs" className="quiet">
          {note}
        </Text>
      )}
    </Stack>
  );
}
