import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Modal, Stack } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { Problem } from "./Problem";

interface Props {
  title: string;
  isValid: boolean;
  /** The dialog closes when this has ended well, and otherwise says what went wrong. */
  save: () => Promise<unknown>;
  close: () => void;
  children: ReactNode;
}

/** Fields that are saved together. */
export function SettingsDialog({ title, isValid, save, close, children }: Props) {
  const { t } = useLingui();
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setError(null);
    try {
      await save();
      close();
    } catch (problem) {
      setError(problem);
      setIsBusy(false);
    }
  };
  return (
    <Modal opened onClose={close} title={title} closeButtonProps={{ "aria-label": t`Close` }}>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {children}
          <Problem error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              <Trans>Cancel</Trans>
            </Button>
            <Button type="submit" loading={isBusy} disabled={!isValid}>
              <Trans>Save</Trans>
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
