import { Trans, useLingui } from "@lingui/react/macro";
import { Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import { Answer } from "../../models/parts/Answer";
import { type Model, useModel } from "../../models/queries";
import { formatNumber } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import { reaching } from "../shown";
import { NOTHING, useWatching, watch } from "../watching";

interface Props {
  project: string;
  id: string;
  stream: MediaStream | null;
  threshold: number | null;
  /** Told of the element that shows the camera. */
  onVideo?: (video: HTMLVideoElement | null) => void;
}

/** The camera as one model sees it. */
export function Watched({ project, id, stream, threshold, onVideo }: Props) {
  const { t } = useLingui();
  const { data: model, error } = useModel(project, id);
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  useEffect(() => {
    onVideo?.(video);
    if (video) video.srcObject = stream;
  }, [video, stream, onVideo]);
  useEffect(() => (video && stream && model ? watch(video, model) : undefined), [video, stream, model]);
  const name = model ? `${model.name} v${model.version}` : "";
  return (
    <Paper className="panel" p="md" component="section" aria-label={name || t`Model`} miw={0}>
      <Stack gap="sm">
        <Title order={2} size="h4">
          {name}
        </Title>
        <Problem error={error} />
        {model && (
          <>
            <Seen project={project} model={model} threshold={threshold}>
              <video ref={setVideo} autoPlay muted playsInline aria-label={t`Camera`} />
            </Seen>
            <Rate id={model.id} />
          </>
        )}
      </Stack>
    </Paper>
  );
}

interface SeenProps {
  project: string;
  model: Model;
  threshold: number | null;
  children: ReactNode;
}

function Seen({ project, model, threshold, children }: SeenProps) {
  const { prediction, error } = useWatching((state) => state[model.id] ?? NOTHING);
  return (
    <>
      <Problem error={error} />
      <Answer
        project={project}
        task={model.task}
        prediction={
          prediction
            ? reaching(prediction, model, threshold)
            : { filename: "", width: 4, height: 3, labels: [], boxes: [] }
        }
        address={null}
        under={children}
        isLive
      />
      {!prediction && !error && <Skeleton height={18} width={160} />}
    </>
  );
}

function Rate({ id }: { id: string }) {
  const { i18n } = useLingui();
  const rate = useWatching((state) => Math.round((state[id]?.rate ?? 0) * 10) / 10);
  const delay = useWatching((state) => Math.round(state[id]?.delay ?? 0));
  return (
    <Text size="sm" style={{ fontVariantNumeric: "tabular-nums" }} data-testid="rate" data-rate={rate}>
      <Trans>
        {formatNumber(rate, i18n.locale)} images a second · {delay} ms from the camera to the answer
      </Trans>
    </Text>
  );
}
