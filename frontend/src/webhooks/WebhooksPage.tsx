import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Group, Modal, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useProject } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { WebhookCard } from "./parts/WebhookCard";
import { WebhookForm } from "./parts/WebhookForm";
import { WebhookSecret } from "./parts/WebhookSecret";
import { addWebhook, type NewWebhook, useWebhooks } from "./queries";

/** Addresses of other programs that hear when something in the project has ended. */
export default function WebhooksPage() {
  const { t } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project/settings/webhooks" });
  const { data: current } = useProject(project);
  const isOwner = current?.role === "owner";
  const { data, error, refetch } = useWebhooks(project, isOwner);
  const [isAdding, setIsAdding] = useState(false);
  const [added, setAdded] = useState<NewWebhook | null>(null);
  const close = () => {
    setIsAdding(false);
    setAdded(null);
  };
  if (!current) return null;
  return (
    <Page width="sm">
      <Stack gap="lg">
        <div>
          <Anchor component={Link} to={`/projects/${project}/settings`} size="sm">
            <Trans>Settings</Trans>
          </Anchor>
          <Group justify="space-between">
            <Title order={1} size="h2">
              <Trans>Webhooks</Trans>
            </Title>
            {isOwner && data && data.length > 0 && (
              <Button leftSection={<Icon name="plus" />} onClick={() => setIsAdding(true)}>
                <Trans>Add a webhook</Trans>
              </Button>
            )}
          </Group>
        </div>
        {!isOwner && (
          <EmptyState icon="lock" title={<Trans>Webhooks are for owners</Trans>}>
            <Trans>
              An owner of the project can add an address that is called when a training or a job has ended.
            </Trans>
          </EmptyState>
        )}
        <Problem error={error} retry={() => void refetch()} />
        {isOwner && !data && !error && <Skeleton height={120} radius="md" />}
        {isOwner && data?.length === 0 && (
          <EmptyState
            icon="bell"
            title={<Trans>Nobody is called yet</Trans>}
            action={
              <Button leftSection={<Icon name="plus" />} onClick={() => setIsAdding(true)}>
                <Trans>Add a webhook</Trans>
              </Button>
            }
          >
            <Trans>
              A webhook is the address of another program. The studio calls it when a training, an evaluation,
              a roll-out or a job has ended, so that nobody has to look.
            </Trans>
          </EmptyState>
        )}
        {data?.map((webhook) => (
          <WebhookCard key={webhook.id} project={project} webhook={webhook} />
        ))}
        {isOwner && data && data.length > 0 && (
          <Text size="sm" className="quiet">
            <Trans>A message that does not arrive is sent again, ever later, for a day and a half.</Trans>
          </Text>
        )}
      </Stack>
      <Modal
        opened={isAdding}
        onClose={close}
        title={added ? t`The secret of the webhook` : t`Add a webhook`}
        size="lg"
        closeButtonProps={{ "aria-label": t`Close` }}
      >
        {added ? (
          <WebhookSecret secret={added.secret} close={close} />
        ) : (
          <WebhookForm
            action={t`Add`}
            cancel={close}
            send={async (url, chosen) => setAdded(await addWebhook(project, url, chosen))}
          />
        )}
      </Modal>
    </Page>
  );
}
