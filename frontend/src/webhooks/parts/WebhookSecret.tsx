import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Stack, Text } from "@mantine/core";
import { ShownOnce } from "../../ui/ShownOnce";

export function WebhookSecret({ secret, close }: { secret: string; close: () => void }) {
  const { t } = useLingui();
  return (
    <Stack>
      <ShownOnce label={t`Secret, shown only now`} value={secret} />
      <Text size="sm">
        <Trans>
          Give it to the program behind the address: every message is signed with it, in the header
          webhook-signature, as standardwebhooks.com describes. Libraries for most languages verify it.
        </Trans>
      </Text>
      <Group justify="flex-end">
        <Button onClick={close}>
          <Trans>Done</Trans>
        </Button>
      </Group>
    </Stack>
  );
}
