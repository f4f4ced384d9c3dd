import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, List, Paper } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { formatBytes } from "../../ui/bytes";
import { Duration } from "../../ui/Duration";
import { formatNumber, formatTime } from "../../ui/numbers";
import type { Training } from "../queries";
import classes from "../Trainings.module.css";
import { usePresetNames, useSettingNames } from "../words";

const TIMES = new Set(["minutes", "max_minutes"]);

/** What it was started with, by whom, on what, and what it took beside what was estimated. */
export function About({ run }: { run: Training }) {
  const { t, i18n } = useLingui();
  const names = useSettingNames();
  const presets = usePresetNames();
  const { estimate, actual, configuration } = run;
  const facts: [string, ReactNode][] = [
    [t`Started by`, run.created_by ?? t`a member who is gone`],
    [t`Requested`, formatTime(run.created_at, i18n.locale)],
    [
      t`Snapshot`,
      <Anchor
        key="s"
        component={Link}
        to={`/projects/${run.project}/snapshots/${run.snapshot}`}
        size="sm"
        underline="always"
      >
        {run.snapshot_name}
      </Anchor>,
    ],
  ];
  if (run.base_model_name) facts.push([t`Starts from`, run.base_model_name]);
  if (estimate) facts.push([t`Estimated`, <Took key="e" {...estimate} />]);
  if (actual) facts.push([t`Took`, <Took key="a" {...actual} />]);
  const shown = Object.entries(configuration).filter(
    ([name, value]) => value !== null && name !== "network" && !(TIMES.has(name) && value === 0),
  );
  const text = (name: string, value: unknown) => {
    if (typeof value === "boolean") return value ? t`yes` : t`no`;
    if (typeof value === "number") return name === "seed" ? String(value) : formatNumber(value, i18n.locale);
    if (name === "preset") {
      const title = presets[value as keyof typeof presets]?.title ?? String(value);
      return t`${title}, for what was left open`;
    }
    return Array.isArray(value) ? value.join(", ") : String(value).replaceAll("_", " ");
  };
  return (
    <Paper className="panel" p="lg">
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      </dl>
      {estimate && estimate.warnings.length > 0 && (
        <List size="sm" spacing={4} mt="sm" c="var(--studio-warn)">
          {estimate.warnings.map((warning) => (
            <List.Item key={warning}>{warning}</List.Item>
          ))}
        </List>
      )}
      <details className={classes.fold} style={{ marginTop: 14 }}>
        <summary>
          <Trans>All settings</Trans>
        </summary>
        <dl className={classes.facts}>
          {shown.map(([name, value]) => (
            <Fact key={name} name={names[name] ?? name}>
              {text(name, value)}
            </Fact>
          ))}
        </dl>
      </details>
    </Paper>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Took({ seconds, memory_bytes: memory }: { seconds: number; memory_bytes: number }) {
  const { i18n } = useLingui();
  return (
    <>
      <Duration seconds={seconds} />, {formatBytes(memory, i18n.locale)}
    </>
  );
}
