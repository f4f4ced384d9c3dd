import { Trans, useLingui } from "@lingui/react/macro";
import { Paper, Progress, Stack, Text } from "@mantine/core";
import { Icon } from "../../ui/Icon";
import { formatTime } from "../../ui/numbers";
import type { MaintenanceRun } from "../queries";
import { Panel } from "./Panel";

function useNames(): Record<MaintenanceRun["kind"], string> {
  const { t } = useLingui();
  return { backup: t`Backup`, restore_drill: t`Trial restore`, weights: t`Download of weights` };
}

/** What runs now, and how far it is. */
export function RunningRun({ run }: { run: MaintenanceRun }) {
  const { t } = useLingui();
  const names = useNames();
  const { done, total } = run.progress ?? { done: 0, total: 0 };
  return (
    <Paper className="panel" p="md" role="status">
      <Stack gap={6}>
        <Text size="sm" fw={600}>
          {names[run.kind]}
        </Text>
        <Progress animated value={total ? (100 * done) / total : 0} aria-label={t`${done} of ${total}`} />
        <Text size="xs" className="quiet">
          {run.state === "queued" ? (
            <Trans>It starts within a minute.</Trans>
          ) : total ? (
            <Trans>
              {done} of {total} files
            </Trans>
          ) : (
            <Trans>The database is copied.</Trans>
          )}
        </Text>
      </Stack>
    </Paper>
  );
}

/** What ran before. */
export function RunList({ runs }: { runs: MaintenanceRun[] }) {
  const { i18n } = useLingui();
  const names = useNames();
  if (runs.length === 0) return null;
  return (
    <Panel title={<Trans>What ran before</Trans>}>
      {runs.map((run) => {
        const isGood = run.state === "succeeded";
        return (
          <div key={run.id}>
            <Text size="sm">
              <Text span size="sm" c={isGood ? "var(--studio-good)" : "var(--studio-bad)"}>
                <Icon name={isGood ? "check" : "x"} size={14} />{" "}
                {isGood ? <Trans>done</Trans> : <Trans>failed</Trans>}
              </Text>
              {" · "}
              {names[run.kind]}
              {" · "}
              <span className="quiet">
                {formatTime(run.created_at, i18n.locale)}
                {" · "}
                {run.created_by ?? <Trans>by the schedule</Trans>}
              </span>
            </Text>
            {run.error && (
              <Text size="xs" c="var(--studio-bad)">
                {run.error.detail}
              </Text>
            )}
          </div>
        );
      })}
    </Panel>
  );
}
