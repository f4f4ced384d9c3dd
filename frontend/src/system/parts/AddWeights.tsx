import { Trans, useLingui } from "@lingui/react/macro";
import { Button, FileButton, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Problem } from "../../ui/Problem";
import { addWeights, type WeightsOffer } from "../queries";

interface Props {
  title: string;
  offer: WeightsOffer;
  disabled: boolean;
}

/** Takes the file of some weights from this computer, where the server reaches no source. */
export function AddWeights({ title, offer, disabled }: Props) {
  const { t } = useLingui();
  const [isOpen, setIsOpen] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const close = () => {
    setIsOpen(false);
    setError(null);
  };
  const send = async (chosen: File | File[] | null) => {
    const files = [chosen ?? []].flat();
    if (!files.length) return;
    setIsBusy(true);
    setError(null);
    try {
      await addWeights(offer.name, files);
      close();
    } catch (problem) {
      setError(problem);
    } finally {
      setIsBusy(false);
    }
  };
  const isPreset = offer.files.length > 1;
  return (
    <>
      <Button
        size="compact-sm"
        variant="subtle"
        disabled={disabled}
        aria-label={t`Add a file of ${title}`}
        onClick={() => setIsOpen(true)}
      >
        <Trans>Add a file</Trans>
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={t`Add weights of ${title}`}
        closeButtonProps={{ "aria-label": t`Close` }}
      >
        <Stack>
          <Text size="sm">
            <Trans>
              Where the server does not reach the internet, download this elsewhere and choose it here. It is
              checked before it is used.
            </Trans>
          </Text>
          <div>
            {offer.files.map((file) => (
              <Text key={file} size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
                {file}
              </Text>
            ))}
          </div>
          <Text size="sm" style={{ overflowWrap: "anywhere" }}>
            <Trans>
              Source: {offer.address} Licence: {offer.licence}.
            </Trans>
          </Text>
          <Problem error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              <Trans>Cancel</Trans>
            </Button>
            <FileButton multiple={isPreset} onChange={(chosen) => void send(chosen)}>
              {(props) => (
                <Button {...props} loading={isBusy}>
                  {isPreset ? <Trans>Choose the files</Trans> : <Trans>Choose the file</Trans>}
                </Button>
              )}
            </FileButton>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
