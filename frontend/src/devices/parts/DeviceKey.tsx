import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { CopyText } from "../../ui/CopyText";
import { Icon } from "../../ui/Icon";
import { type Device, revokeDevice, rotateKey } from "../queries";

/** What a device comes in with: a new key, or the end of its access. */
export function DeviceKey({ project, device }: { project: string; device: Device }) {
  const { t } = useLingui();
  const [asked, setAsked] = useState<"rotate" | "revoke" | null>(null);
  const [key, setKey] = useState<string | null>(null);
  const isRevoked = device.revoked_at !== null;
  const close = () => setAsked(null);
  return (
    <Paper className="panel" p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          <Trans>Access</Trans>
        </Title>
        <Text size="sm" className="quiet">
          {isRevoked ? (
            <Trans>Its access was ended. A new key lets it in again.</Trans>
          ) : (
            <Trans>The device comes in with a key that only it has.</Trans>
          )}
        </Text>
        {key !== null && (
          <Alert color="yellow" variant="light" icon={<Icon name="lock" />}>
            <Stack gap="xs">
              <Text size="sm">
                <Trans>
                  It is shown this once: put it on the device now, in place of the old one, which no longer
                  works.
                </Trans>
              </Text>
              <Group align="flex-end" gap="xs">
                <TextInput flex={1} miw={200} label={t`The new key`} value={key} readOnly />
                <CopyText value={key} size="sm" />
              </Group>
            </Stack>
          </Alert>
        )}
        <Group gap="xs">
          <Button variant="default" onClick={() => setAsked("rotate")}>
            <Trans>Make a new key</Trans>
          </Button>
          {!isRevoked && (
            <Button color="red" variant="light" onClick={() => setAsked("revoke")}>
              <Trans>End its access</Trans>
            </Button>
          )}
        </Group>
      </Stack>
      <ConfirmDelete
        opened={asked === "rotate"}
        title={t`Make a new key for ${device.name}?`}
        action={t`Make the key`}
        confirm={async () => setKey((await rotateKey(project, device.id)).key)}
        close={close}
      >
        <Trans>The key that it has now stops working at once. It stays away until it has the new one.</Trans>
      </ConfirmDelete>
      <ConfirmDelete
        opened={asked === "revoke"}
        title={t`End the access of ${device.name}?`}
        action={t`End its access`}
        confirm={async () => {
          await revokeDevice(project, device.id);
          setKey(null);
        }}
        close={close}
      >
        <Trans>
          Its key stops working at once: it gets no model any more and reports nothing. It goes on with the
          model that it has. To come back it needs a new key.
        </Trans>
      </ConfirmDelete>
    </Paper>
  );
}
