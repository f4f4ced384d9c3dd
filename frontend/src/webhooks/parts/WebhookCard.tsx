import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Badge, Button, Group, Menu, Modal, Paper, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { asStudioError } from "../../api/errors";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { Icon } from "../../ui/Icon";
import { changeWebhook, deleteWebhook, testWebhook, type Webhook } from "../queries";
import { useEventNames } from "../words";
import { Deliveries } from "./Deliveries";
import { WebhookForm } from "./WebhookForm";

export function WebhookCard({ project, webhook }: { project: string; webhook: Webhook }) {
  const { t, i18n } = useLingui();
  const names = useEventNames();
  const [isShown, setIsShown] = useState(false);
  const [isEditing, setIsEditing] = useState(false);
  const [isDeleting, setIsDeleting] = useState(false);
  const [isTesting, setIsTesting] = useState(false);
  const isActive = webhook.is_active !== false;
  const { host } = new URL(webhook.url);
  const attempt = (work: Promise<unknown>) =>
    work.catch((problem) => notifications.show({ color: "red", message: asStudioError(problem).message }));
  const test = async () => {
    setIsTesting(true);
    await attempt(testWebhook(project, webhook.id));
    setIsTesting(false);
    setIsShown(true);
  };
  return (
    <Paper className="panel" p="md" component="section" aria-label={webhook.url}>
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <div style={{ minWidth: 0 }}>
            <Group gap="xs">
              <Text fw={600} style={{ overflowWrap: "anywhere" }}>
                {webhook.url}
              </Text>
              {!isActive && (
                <Badge color="gray">
                  <Trans>paused</Trans>
                </Badge>
              )}
            </Group>
            <Text size="sm" className="quiet">
              <Trans>
                Called when{" "}
                {new Intl.ListFormat(i18n.locale, { type: "disjunction" }).format(
                  webhook.events.map((one) => names[one]),
                )}
              </Trans>
            </Text>
            {webhook.note && (
              <Text size="sm" c="var(--studio-warn)">
                {webhook.note}
              </Text>
            )}
          </div>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={t`More about ${host}`}>
                <Icon name="dots" />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<Icon name="pencil" size={16} />} onClick={() => setIsEditing(true)}>
                <Trans>Change</Trans>
              </Menu.Item>
              <Menu.Item
                leftSection={<Icon name={isActive ? "player-stop" : "player-play"} size={16} />}
                onClick={() => void attempt(changeWebhook(project, webhook.id, { is_active: !isActive }))}
              >
                {isActive ? <Trans>Pause</Trans> : <Trans>Continue</Trans>}
              </Menu.Item>
              <Menu.Item
                color="red"
                leftSection={<Icon name="trash" size={16} />}
                onClick={() => setIsDeleting(true)}
              >
                <Trans>Delete</Trans>
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Group>
        <Group gap="xs">
          <Button
            size="compact-sm"
            variant="default"
            loading={isTesting}
            disabled={!isActive}
            onClick={() => void test()}
          >
            <Trans>Send a test</Trans>
          </Button>
          <Button
            size="compact-sm"
            variant="subtle"
            aria-expanded={isShown}
            onClick={() => setIsShown(!isShown)}
          >
            {isShown ? <Trans>Hide the messages</Trans> : <Trans>Show the messages</Trans>}
          </Button>
        </Group>
        {isShown && <Deliveries project={project} webhook={webhook.id} isActive={isActive} />}
      </Stack>
      <Modal
        opened={isEditing}
        onClose={() => setIsEditing(false)}
        title={t`Change the webhook`}
        size="lg"
        closeButtonProps={{ "aria-label": t`Close` }}
      >
        <WebhookForm
          url={webhook.url}
          chosen={webhook.events}
          action={t`Save`}
          cancel={() => setIsEditing(false)}
          send={async (url, chosen) => {
            await changeWebhook(project, webhook.id, { url, events: chosen });
            setIsEditing(false);
          }}
        />
      </Modal>
      <ConfirmDelete
        opened={isDeleting}
        title={t`Delete the webhook?`}
        confirm={() => deleteWebhook(project, webhook.id)}
        close={() => setIsDeleting(false)}
      >
        <Trans>
          {host} is not called any more, and the list of its messages goes with it. To stop for a while, pause
          it instead.
        </Trans>
      </ConfirmDelete>
    </Paper>
  );
}
