import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Paper, Progress, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Duration } from "../../ui/Duration";
import { formatPercent, formatTime } from "../../ui/numbers";
import { type TrainingSummary, useArchitectureTitle } from "../queries";
import classes from "../Trainings.module.css";
import { usePhaseNames } from "../words";
import { StateBadge } from "./StateBadge";

/** One training in the list: what it is, how it stands, how good it is, who asked for it and when. */
export function TrainingRow({ run, task }: { run: TrainingSummary; task: string }) {
  const architectureTitle = useArchitectureTitle();
  const { t, i18n } = useLingui();
  const phases = usePhaseNames();
  const { done = 0, total = 0, phase, eta_seconds: left } = run.progress;
  return (
    <Link
      to="/projects/$project/trainings/$training"
      params={{ project: run.project, training: run.id }}
      className={classes.row}
    >
      <Paper className="panel" p="md">
        <Group justify="space-between" gap="xs">
          <Stack gap={2} miw={0} flex={1}>
            <Group gap="xs">
              <Text fw={600} truncate>
                {run.name || run.model_name || t`Training`}
              </Text>
              <StateBadge state={run.state} />
            </Group>
            <Text size="sm" className="quiet" truncate>
              {architectureTitle(run.configuration.architecture)} · {run.created_by ?? "–"} ·{" "}
              {formatTime(run.created_at, i18n.locale)}
            </Text>
          </Stack>
          {run.score !== null && (
            <Text fw={650} style={{ fontVariantNumeric: "tabular-nums" }}>
              {task === "detection" ? "AP50 " : task === "multilabel" ? "mAP " : ""}
              {formatPercent(run.score, i18n.locale, 1)}
              <Text span size="sm" className="quiet" fw={400}>
                {" "}
                <Trans>in validation</Trans>
              </Text>
            </Text>
          )}
        </Group>
        {run.state === "running" && (
          <Stack gap={2} mt={6}>
            <Progress
              value={total ? (100 * done) / total : 0}
              size="sm"
              aria-label={t`${done} of ${total}`}
            />
            <Group justify="space-between">
              <Text size="xs" className="quiet">
                {phase ? (phases[phase] ?? phase) : t`Preparing`}
              </Text>
              {typeof left === "number" && (
                <Text size="xs" className="quiet">
                  <Duration seconds={left} />
                </Text>
              )}
            </Group>
          </Stack>
        )}
        {run.state === "queued" && run.waiting && (
          <Text size="xs" className="quiet" mt={4}>
            {run.waiting.detail}
          </Text>
        )}
        {run.error && (
          <Text size="xs" c="var(--studio-bad)" mt={4} lineClamp={2}>
            {run.error.detail}
          </Text>
        )}
      </Paper>
    </Link>
  );
}
