import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Group, Progress, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Activity } from "../api/types";
import { Duration } from "../ui/Duration";
import { pageOf } from "./entries";
import { useKindNames, useStateNames } from "./names";

export function ActivityRow({ entry }: { entry: Activity }) {
  const { t } = useLingui();
  const kinds = useKindNames();
  const states = useStateNames();
  const title = entry.dry_run ? t`What is in an archive` : (kinds[entry.kind] ?? entry.kind);
  const page = pageOf(entry);
  const { done, total } = entry.progress;
  const share = done && total ? Math.min(100, (100 * done) / total) : 0;
  const isRunning = entry.state === "running";
  return (
    <Stack gap={2}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        {page ? (
          <Anchor component={Link} to={page} size="sm" fw={600} truncate>
            {title}
          </Anchor>
        ) : (
          <Text size="sm" fw={600} truncate>
            {title}
          </Text>
        )}
        <Text size="xs" className="quiet" style={{ whiteSpace: "nowrap" }}>
          {states[entry.state] ?? entry.state}
        </Text>
      </Group>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="xs" className="quiet" truncate>
          {entry.project_name}
        </Text>
        {isRunning && typeof entry.progress.eta_seconds === "number" && (
          <Text size="xs" className="quiet">
            <Duration seconds={entry.progress.eta_seconds} />
          </Text>
        )}
      </Group>
      {isRunning && <Progress value={share} size="sm" aria-label={t`${done ?? 0} of ${total ?? 0}`} />}
      {entry.kind === "export" && entry.state === "succeeded" && (
        <Anchor href={`/api/v1/jobs/${entry.id}/file/`} download size="xs">
          <Trans>Download the archive</Trans>
        </Anchor>
      )}
      {entry.error && (
        <Text size="xs" c="var(--studio-bad)">
          {entry.error.detail}
        </Text>
      )}
    </Stack>
  );
}
