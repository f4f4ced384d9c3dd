import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Group, Loader, Select, Slider, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import type { Model } from "../../models/queries";
import { useMayEdit } from "../../projects/queries";
import { formatPercent } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import classes from "../Quality.module.css";
import { type Evaluation, saveThreshold, type ThresholdTable, useThresholds } from "../queries";
import type { QualitySearch } from "../search";
import { bestBalance, cheapest, rowAt } from "../thresholds";
import { CurveChart } from "./CurveChart";

interface Props {
  project: string;
  model: Model;
  evaluation: Evaluation;
  search: QualitySearch;
  change: (next: Partial<QualitySearch>) => void;
}

/** What a lowest score costs, label by label: what would be wrong, and what would be left to a person. */
export function Thresholds({ project, model, evaluation, search, change }: Props) {
  const { t } = useLingui();
  const label = model.class_names.find((name) => name === search.of);
  const { data, error, refetch } = useThresholds(project, evaluation, label);
  return (
    <Stack>
      <Select
        label={t`Label`}
        w={260}
        allowDeselect={false}
        searchable={model.class_names.length > 12}
        data={[
          { value: "", label: t`All labels together` },
          ...model.class_names.map((name) => ({ value: name, label: name })),
        ]}
        value={label ?? ""}
        onChange={(value) => change({ of: value || undefined })}
      />
      <Problem error={error} retry={() => void refetch()} />
      {!data && !error && (
        <Center mih={200}>
          <Loader aria-label={t`Loading`} />
        </Center>
      )}
      {data && <Explorer key={label ?? ""} project={project} model={model} label={label} table={data} />}
    </Stack>
  );
}

interface ExplorerProps {
  project: string;
  model: Model;
  label: string | undefined;
  table: ThresholdTable;
}

/** From which score on a model answers with a label, or with all of them. */
function currentOf(model: Model, label: string | undefined): number {
  if (model.task === "classification") return model.score_threshold ?? 0;
  const own = model.task === "multilabel" ? model.label_thresholds : model.detector?.label_thresholds;
  const saved = label === undefined ? undefined : own?.[label];
  return saved ?? model.detector?.score_threshold ?? 0;
}

function Explorer({ project, model, label, table: { rows, total } }: ExplorerProps) {
  const { t, i18n } = useLingui();
  const isDetector = model.task === "detection";
  const hasOwn = model.task !== "classification"; // a lowest score for each label
  const current = currentOf(model, label);
  const [threshold, setThreshold] = useState(Math.round(100 * current) / 100);
  const row = rowAt(rows, threshold);
  const [best, careful] = [bestBalance(rows), cheapest(rows, 0.95)];
  const percent = (value: number | null) => (value === null ? "–" : formatPercent(value, i18n.locale, 1));
  const count = (value: number) => value.toLocaleString(i18n.locale);
  if (!row) return null;
  const costs: [string, string][] = [
    [t`right`, count(row.right)],
    [isDetector ? t`false alarms` : t`wrong`, count(row.wrong)],
    isDetector ? [t`missed of ${count(total)}`, count(row.missed)] : [t`left to a person`, count(row.left)],
    [t`precision`, percent(row.precision)],
    [t`recall`, percent(row.recall)],
  ];
  return (
    <Stack gap="lg">
      <div>
        <Text size="sm" fw={600} id="lowest-score">
          <Trans>Lowest score: {formatPercent(threshold, i18n.locale)}</Trans>
        </Text>
        <Slider
          mt="xs"
          min={0}
          max={1}
          step={0.01}
          value={threshold}
          onChange={setThreshold}
          label={(value) => formatPercent(value, i18n.locale)}
          thumbLabel={t`Lowest score`}
        />
      </div>
      <dl className={classes.costs} aria-live="polite">
        {costs.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Group>
        {best && (
          <Button variant="default" size="compact-sm" onClick={() => setThreshold(best.threshold)}>
            <Trans>Best balance ({formatPercent(best.threshold, i18n.locale)})</Trans>
          </Button>
        )}
        {careful && (
          <Button variant="default" size="compact-sm" onClick={() => setThreshold(careful.threshold)}>
            <Trans>95 of 100 right ({formatPercent(careful.threshold, i18n.locale)})</Trans>
          </Button>
        )}
        {(hasOwn ? isDetector || label !== undefined : label === undefined) && current !== threshold && (
          <Save project={project} model={model} label={label} threshold={threshold} />
        )}
      </Group>
      {!hasOwn && label !== undefined && threshold > 0 && (
        <Text size="sm" className="quiet">
          <Trans>A classifier has one lowest score: “All labels together” keeps it.</Trans>
        </Text>
      )}
      <CurveChart
        title={t`Precision and recall over the lowest score`}
        xName={t`lowest score`}
        yName={t`precision`}
        points={rows
          .filter(({ precision }) => precision !== null)
          .map((one) => ({ x: one.threshold, y: one.precision ?? 0 }))}
        second={{
          name: t`recall`,
          points: rows.map((one) => ({ x: one.threshold, y: one.recall ?? 0 })),
        }}
        mark={threshold}
        note={t`Drawn through: precision. Dashed: recall.`}
      />
    </Stack>
  );
}

function Save({ project, model, label, threshold }: Omit<ExplorerProps, "table"> & { threshold: number }) {
  const { t, i18n } = useLingui();
  const mayEdit = useMayEdit(project);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  if (!mayEdit || model.project !== project) return null;
  const value = formatPercent(threshold, i18n.locale);
  const save = async () => {
    setIsBusy(true);
    setError(null);
    try {
      await saveThreshold(project, model, label, threshold, t`Lowest score`);
      notifications.show({
        message: label === undefined ? t`All labels: from ${value} on.` : t`${label}: from ${value} on.`,
      });
    } catch (problem) {
      setError(problem);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <>
      <Button size="compact-sm" loading={isBusy} onClick={() => void save()}>
        {label === undefined ? <Trans>Use it for all labels</Trans> : <Trans>Use it for {label}</Trans>}
      </Button>
      <Problem error={error} />
    </>
  );
}
