import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Modal, Progress, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { formatBytes } from "../../ui/bytes";
import { Problem } from "../../ui/Problem";
import { downloadWeights, isUnfinished, type Weights, type WeightsOffer } from "../queries";

interface Props {
  title: string;
  offer: WeightsOffer;
  mirror: string;
  run: Weights["run"];
}

/** The button that asks and then downloads, and how far the download is. */
export function DownloadWeights({ title, offer, mirror, run }: Props) {
  const { t, i18n } = useLingui();
  const [isAsking, setIsAsking] = useState(false);
  const isRunning = run !== null && isUnfinished(run);
  if (isRunning && run.subject === offer.name) {
    const { done, total } = run.progress ?? { done: 0, total: 0 };
    const share = total ? (100 * done) / total : 0;
    return (
      <Stack gap={2} role="status">
        <Progress animated value={share} aria-label={t`Download of ${title}`} />
        <Text size="xs" className="quiet">
          {total ? (
            <Trans>
              {formatBytes(done, i18n.locale)} of {formatBytes(total, i18n.locale)}
            </Trans>
          ) : (
            <Trans>It starts within a minute.</Trans>
          )}
        </Text>
      </Stack>
    );
  }
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        disabled={isRunning}
        aria-label={t`Download ${title}`}
        onClick={() => setIsAsking(true)}
      >
        <Trans>Download</Trans>
      </Button>
      <Question
        title={title}
        offer={offer}
        mirror={mirror}
        opened={isAsking}
        close={() => setIsAsking(false)}
      />
    </>
  );
}

function Question({
  title,
  offer,
  mirror,
  opened,
  close,
}: Omit<Props, "run"> & { opened: boolean; close: () => void }) {
  const { t, i18n } = useLingui();
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const address = mirror || offer.address;
  const host = URL.canParse(address) ? new URL(address).host : address;
  const start = async () => {
    setIsBusy(true);
    setError(null);
    try {
      await downloadWeights(offer.name);
      close();
    } catch (problem) {
      setError(problem);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t`Download weights of ${title}?`}
      closeButtonProps={{ "aria-label": t`Close` }}
    >
      <Stack>
        <Text size="sm">
          <Trans>
            The server fetches about {formatBytes(offer.bytes, i18n.locale)} from {host}. Nothing of yours is
            sent there. Licence: {offer.licence}.
          </Trans>
        </Text>
        <Problem error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            <Trans>Cancel</Trans>
          </Button>
          <Button loading={isBusy} onClick={() => void start()}>
            <Trans>Download</Trans>
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
