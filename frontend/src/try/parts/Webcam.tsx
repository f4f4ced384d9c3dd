import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group, Stack } from "@mantine/core";
import { useState } from "react";
import { Icon } from "../../ui/Icon";
import classes from "../Try.module.css";
import { useCamera } from "../useCamera";
import { jpegOf } from "../watching";
import { Watched } from "./Watched";

interface Props {
  project: string;
  /** The models that look, side by side. */
  ids: string[];
  threshold: number | null;
  /** Keeps the image of this moment. */
  take: (file: File) => void;
}

/** The camera, with what each model says of it drawn over it. */
export function Webcam({ project, ids, threshold, take }: Props) {
  const { t } = useLingui();
  const { stream, problem } = useCamera(true);
  const [first, setFirst] = useState<HTMLVideoElement | null>(null);
  const shoot = async () => {
    if (!first?.videoWidth) return;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [first.videoWidth, first.videoHeight];
    canvas.getContext("2d")?.drawImage(first, 0, 0);
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
    <Stack gap="sm" component="section" aria-label={t`Camera`}>
      <div className={classes.sides}>
        {ids.map((id, place) => (
          <Watched
            key={id}
            project={project}
            id={id}
            stream={stream}
            threshold={threshold}
            onVideo={place === 0 ? setFirst : undefined}
          />
        ))}
      </div>
      <Group justify="flex-end">
        <Button variant="default" leftSection={<Icon name="camera" />} onClick={() => void shoot()}>
          <Trans>Hold this image</Trans>
        </Button>
      </Group>
    </Stack>
  );
}
