import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { asStudioError } from "../api/errors";
import { formatBytes } from "../ui/bytes";
import { EmptyState } from "../ui/EmptyState";
import { formatTime } from "../ui/numbers";
import { Problem } from "../ui/Problem";
import { BackupTable } from "./parts/BackupTable";
import { DrillView } from "./parts/DrillView";
import { Panel } from "./parts/Panel";
import { RunList, RunningRun } from "./parts/RunList";
import { type Backups, backUp, isUnfinished, tryRestore, useBackups } from "./queries";

/** Copies of the whole studio: taken now or by the schedule, and tried. */
export default function BackupsPage() {
  const { data, error, refetch } = useBackups();
  if (!data)
    return error ? (
      <Problem error={error} retry={() => void refetch()} />
    ) : (
      <Skeleton height={320} radius="md" />
    );
  return (
    <Stack>
      <Problem error={error} retry={() => void refetch()} />
      {data.why_none ? <Off why={data.why_none} /> : <On backups={data} />}
    </Stack>
  );
}

function Off({ why }: { why: string }) {
  return (
    <EmptyState icon="database" title={<Trans>The studio keeps no backups by itself</Trans>}>
      {why}{" "}
      <Trans>
        With MLSTUDIO_BACKUP_DIR, a folder on another disk, it takes one a day and keeps the newest seven.
        Without it, manage.py backup takes one by hand.
      </Trans>
    </EmptyState>
  );
}

function On({ backups }: { backups: Backups }) {
  const running = backups.runs.find(isUnfinished);
  const attempt = (work: Promise<unknown>) =>
    void work.catch((problem) =>
      notifications.show({ color: "red", message: asStudioError(problem).message }),
    );
  return (
    <>
      {running && <RunningRun run={running} />}
      <Panel
        title={<Trans>Backups</Trans>}
        action={
          <Button disabled={running !== undefined} onClick={() => attempt(backUp())}>
            <Trans>Back up now</Trans>
          </Button>
        }
      >
        <Schedule backups={backups} />
        <BackupTable backups={backups.backups} />
      </Panel>
      <Panel
        title={<Trans>Trial restore</Trans>}
        action={
          <Button
            variant="default"
            disabled={running !== undefined || backups.backups.length === 0}
            onClick={() => attempt(tryRestore())}
          >
            <Trans>Try the newest backup</Trans>
          </Button>
        }
      >
        <DrillView run={backups.last_drill} />
      </Panel>
      <RunList runs={backups.runs.filter((run) => !isUnfinished(run))} />
    </>
  );
}

function Schedule({ backups }: { backups: Backups }) {
  const { i18n } = useLingui();
  const { every_hours: hours, keeps, next_at: next, free_bytes: free, folder } = backups;
  return (
    <Group gap="xs">
      <Text size="sm">
        {hours === 0 ? (
          <Trans>Only when somebody asks for one.</Trans>
        ) : (
          <Trans>
            Every {hours} hours, the newest {keeps} are kept.
          </Trans>
        )}{" "}
        {next && <Trans>The next one: {formatTime(next, i18n.locale)}.</Trans>}
      </Text>
      <Text size="sm" className="quiet" style={{ overflowWrap: "anywhere" }}>
        {folder}
        {free !== null && (
          <>
            {" · "}
            <Trans>{formatBytes(free, i18n.locale)} free</Trans>
          </>
        )}
      </Text>
    </Group>
  );
}
