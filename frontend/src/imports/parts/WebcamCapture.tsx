import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { Icon } from "../../ui/Icon";

/** Stills of a camera, one for each press of the button. */
export function WebcamCapture({ add }: { add: (files: File[]) => void }) {
  const { t } = useLingui();
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button variant="default" leftSection={<Icon name="camera" />} onClick={() => setIsOpen(true)}>
        <Trans>Use the camera</Trans>
      </Button>
      <Modal
        opened={isOpen}
        onClose={() => setIsOpen(false)}
        title={t`Camera`}
        size="lg"
        closeButtonProps={{ "aria-label": t`Close` }}
      >
        {isOpen && <Camera add={add} />}
      </Modal>
    </>
  );
}

function Camera({ add }: { add: (files: File[]) => void }) {
  const { t } = useLingui();
  const video = useRef<HTMLVideoElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [count, setCount] = useState(0);
  useEffect(() => {
    let stream: MediaStream | null = null;
    let isGone = false;
    if (!navigator.mediaDevices) {
      setProblem(
        t`Browsers give the camera only to pages over HTTPS or on this machine itself. Open the studio that way.`,
      );
      return undefined;
    }
    navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } }).then(
      (found) => {
        if (isGone) return stop(found);
        stream = found;
        if (video.current) video.current.srcObject = found;
      },
      () => setProblem(t`The camera cannot be used: it was refused, is missing, or another program has it.`),
    );
    return () => {
      isGone = true;
      if (stream) stop(stream);
    };
  }, [t]);
  const take = () => {
    const source = video.current;
    if (!source?.videoWidth) return;
    const canvas = document.createElement("canvas");
    canvas.width = source.videoWidth;
    canvas.height = source.videoHeight;
    canvas.getContext("2d")?.drawImage(source, 0, 0);
    canvas.toBlob(
      (blob) => {
        if (!blob) return;
        const name = `camera-${new Date().toISOString().replace(/[:.]/g, "-")}.jpg`;
        add([new File([blob], name, { type: "image/jpeg" })]);
        setCount((now) => now + 1);
      },
      "image/jpeg",
      0.92,
    );
  };
  if (problem) return <Alert color="orange">{problem}</Alert>;
  return (
    <Stack>
      <video
        ref={video}
        autoPlay
        muted
        playsInline
        style={{ width: "100%", borderRadius: 8, background: "#000" }}
      />
      <Group justify="space-between">
        <Text size="sm" className="quiet" aria-live="polite">
          <Trans>{count} taken</Trans>
        </Text>
        <Button data-autofocus leftSection={<Icon name="camera" />} onClick={take}>
          <Trans>Take an image</Trans>
        </Button>
      </Group>
    </Stack>
  );
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
