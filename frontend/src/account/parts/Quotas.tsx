import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Paper, Progress, Stack, Text, Title } from "@mantine/core";
import { Icon } from "../../ui/Icon";
import type { Limit } from "../queries";
import { formatAmount, isNearlyUsed, shareUsed } from "../quotas";

/** What one has of what all share, and how much of it one may have. */
export function Quotas({ limits }: { limits: Record<string, Limit> }) {
  const { t } = useLingui();
  const names: Record<string, string> = {
    bytes: t`Space for files`,
    images: t`Images`,
    projects: t`Projects`,
    queued_jobs: t`Jobs that wait or run`,
    queued_trainings: t`Trainings that wait or run`,
    open_uploads: t`Unfinished uploads`,
    event_streams: t`Open event streams`,
  };
  const order = Object.keys(names);
  const shown = Object.keys(limits).sort((a, b) => order.indexOf(a) - order.indexOf(b));
  return (
    <Paper className="panel" p="lg">
      <Stack>
        <div>
          <Title order={2} size="h4">
            <Trans>What you use</Trans>
          </Title>
          <Text size="sm" className="quiet">
            <Trans>Files count for the user who made the project that they are in.</Trans>
          </Text>
        </div>
        {shown.map((name) => {
          const limit = limits[name];
          return limit ? <Quota key={name} name={name} title={names[name] ?? name} limit={limit} /> : null;
        })}
      </Stack>
    </Paper>
  );
}

function Quota({ name, title, limit }: { name: string; title: string; limit: Limit }) {
  const { i18n } = useLingui();
  const amount = (value: number) => formatAmount(name, value, i18n.locale);
  const used = amount(limit.used);
  const isNear = isNearlyUsed(limit);
  return (
    <Stack gap={4}>
      <Group justify="space-between" gap="xs">
        <Text size="sm">{title}</Text>
        <Text size="sm" c={isNear ? "var(--studio-warn)" : undefined}>
          {isNear && <Icon name="alert-triangle" size={13} />}{" "}
          {limit.limit === null ? (
            <Trans>{used}, no limit</Trans>
          ) : (
            <Trans>
              {used} of {amount(limit.limit)}
            </Trans>
          )}
        </Text>
      </Group>
      {limit.limit !== null && (
        <Progress
          value={100 * shareUsed(limit)}
          size="sm"
          color={isNear ? "yellow" : undefined}
          aria-label={title}
        />
      )}
      {(limit.in_trash ?? 0) > 0 && (
        <Text size="xs" className="quiet">
          <Trans>{amount(limit.in_trash ?? 0)} of it in the trash</Trans>
        </Text>
      )}
    </Stack>
  );
}
