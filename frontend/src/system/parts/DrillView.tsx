import { Trans, useLingui } from "@lingui/react/macro";
import { Stack, Text } from "@mantine/core";
import { ago } from "../../devices/seen";
import { Icon } from "../../ui/Icon";
import { formatNumber } from "../../ui/numbers";
import type { MaintenanceRun } from "../queries";

/** What the last trial restore has found. */
export function DrillView({ run }: { run: MaintenanceRun | null }) {
  const { i18n } = useLingui();
  if (!run?.finished_at)
    return (
      <Text size="sm" className="quiet">
        <Trans>
          No trial yet. It restores the newest backup into a temporary folder, verifies its database and a
          sample of its files, and removes it again.
        </Trans>
      </Text>
    );
  const when = ago(run.finished_at, Date.now(), i18n.locale);
  const isGood = run.state === "succeeded";
  return (
    <Stack gap={6}>
      <Text size="sm" c={isGood ? "var(--studio-good)" : "var(--studio-bad)"} fw={600}>
        <Icon name={isGood ? "check" : "alert-triangle"} size={14} />{" "}
        {isGood ? (
          <Trans>It could be restored, {when}.</Trans>
        ) : (
          <Trans>It could not be restored, {when}.</Trans>
        )}
      </Text>
      {run.error && <Text size="sm">{run.error.detail}</Text>}
      {run.result && <Found result={run.result} />}
    </Stack>
  );
}

function Found({ result }: { result: NonNullable<MaintenanceRun["result"]> }) {
  const { t, i18n } = useLingui();
  const number = (count: number) => new Intl.NumberFormat(i18n.locale).format(count);
  const names: Record<string, string> = {
    users: t`users`,
    projects: t`projects`,
    datasets: t`datasets`,
    images: t`images`,
    annotations: t`annotations`,
    models: t`models`,
  };
  const counts = Object.entries(result.counts ?? {})
    .map(([name, count]) => `${names[name] ?? name}: ${number(count)}`)
    .join(", ");
  return (
    <>
      <Text size="sm">
        {result.database === "ok" ? (
          <Trans>The database is whole.</Trans>
        ) : (
          <Trans>The database is damaged: {result.database}</Trans>
        )}{" "}
        {counts}
      </Text>
      <Text size="sm">
        <Trans>
          {number(result.files)} files, {number(result.missing ?? 0)} of them missing;{" "}
          {number(result.looked_at ?? 0)} compared with their hash, {number(result.damaged ?? 0)} of them
          damaged.
        </Trans>
      </Text>
      <Text size="xs" className="quiet">
        {result.backup}
        {" · "}
        <Trans>took {formatNumber(result.seconds ?? 0, i18n.locale)} s</Trans>
      </Text>
    </>
  );
}
