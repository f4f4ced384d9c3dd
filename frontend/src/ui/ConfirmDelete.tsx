import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Problem } from "./Problem";

interface Props {
  opened: boolean;
  title: string;
  /** What goes with it. */
  children: ReactNode;
  /** To be typed first, where much is lost. */
  name?: string;
  /** What its buttons say, where nothing is deleted. */
  action?: string;
  keep?: string;
  confirm: () => Promise<unknown>;
  close: () => void;
}

export function ConfirmDelete({ opened, title, children, name, action, keep, confirm, close }: Props) {
  const { t } = useLingui();
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const act = async () => {
    setIsBusy(true);
    setError(null);
    try {
      await confirm();
      close();
    } catch (problem) {
      setError(problem);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <Modal opened={opened} onClose={close} title={title} closeButtonProps={{ "aria-label": t`Close` }}>
      <Stack>
        <Text size="sm">{children}</Text>
        {name && (
          <TextInput
            label={t`Type the name ${name} to confirm`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
        <Problem error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {keep ?? <Trans>Cancel</Trans>}
          </Button>
          <Button
            color="red"
            loading={isBusy}
            disabled={name !== undefined && typed !== name}
            onClick={() => void act()}
          >
            {action ?? <Trans>Delete</Trans>}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
