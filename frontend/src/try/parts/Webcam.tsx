import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { Answer } from "../../models/parts/Answer";
import type { Model } from "../../models/queries";
import { Icon } from "../../ui/Icon";
import { formatNumber } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import { reaching } from "../shown";
import { useCamera } from "../useCamera";
import { jpegOf, useWatching, watch } from "../watching";

interface Props {
  project: string;
  model: Model;
  threshold: number | null;
  /** Keeps the image of this moment. */
  take: (file: File) => void;
}

/** The camera, with what the model says of it drawn over it. */
export function Webcam({ project, model, threshold, take }: Props) {
  const { t } = useLingui();
  const { stream, problem } = useCamera(true);
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  useEffect(() => {
    if (video) video.srcObject = stream;
  }, [video, stream]);
  useEffect(() => (video && stream ? watch(video, model) : undefined), [video, stream, model]);
  const shoot = async () => {
    if (!video?.videoWidth) return;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    const file = await jpegOf(canvas, 0.92);
    if (file) take(file);
  };
  if (problem)
    return (
      <Alert color="orange" variant="light" icon={<Icon name="camera" />}>
        {problem === "insecure"
          ? t`Browsers give the camera only to pages over HTTPS or on this machine itself. Open the studio that way.`
          : t`The camera cannot be used: it was refused, is missing, or another program has it.`}
      </Alert>
    );
  return (
    <Stack gap="sm">
      <Seen project={project} model={model} threshold={threshold}>
        <video ref={setVideo} autoPlay muted playsInline aria-label={t`Camera`} />
      </Seen>
      <Group justify="space-between">
        <Rate />
        <Button variant="default" leftSection={<Icon name="camera" />} onClick={() => void shoot()}>
          <Trans>Hold this image</Trans>
        </Button>
      </Group>
    </Stack>
  );
}

function Seen({
  project,
  model,
  threshold,
  children,
}: Pick<Props, "project" | "model" | "threshold"> & { children: React.ReactNode }) {
  const prediction = useWatching((state) => state.prediction);
  const error = useWatching((state) => state.error);
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

function Rate() {
  const { i18n } = useLingui();
  const rate = useWatching((state) => Math.round(state.rate * 10) / 10);
  const delay = useWatching((state) => Math.round(state.delay));
  return (
    <Text size="sm" style={{ fontVariantNumeric: "tabular-nums" }} data-testid="rate" data-rate={rate}>
      <Trans>
        {formatNumber(rate, i18n.locale)} images a second · {delay} ms from the camera to the answer
      </Trans>
    </Text>
  );
}
