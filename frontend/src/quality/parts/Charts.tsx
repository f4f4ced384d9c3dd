import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Group, Select, Stack, Text } from "@mantine/core";
import { formatPercent } from "../../ui/numbers";
import { behindPoint, precisionRecall, rates as ratesOf, roc, scored } from "../curves";
import { labelRows, sortRows } from "../figures";
import classes from "../Quality.module.css";
import { type Evaluation, useLabelCharts } from "../queries";
import type { Behind, QualitySearch } from "../search";
import { Calibration } from "./Calibration";
import { Corrected } from "./Corrected";
import { CurveChart } from "./CurveChart";

interface Props {
  project: string;
  evaluation: Evaluation;
  search: QualitySearch;
  change: (next: Partial<QualitySearch>) => void;
  open: ((behind: Behind) => void) | undefined;
}

/** Precision and recall, ROC and calibration, label by label. */
export function Charts({ project, evaluation, search, change, open }: Props) {
  const { t, i18n } = useLingui();
  const { metrics, curves } = evaluation;
  const rows = sortRows(labelRows(metrics), "score", false, i18n.locale);
  const label = rows.find((row) => row.label === search.of)?.label ?? rows[0]?.label ?? "";
  // What was kept with the evaluation is there at once; the charts with scores are computed from its images.
  const { data: charts } = useLabelCharts(project, evaluation, label);
  const precision = charts?.precision_recall
    ? scored(charts.precision_recall)
    : precisionRecall(metrics, curves, label);
  const rates = charts?.roc ? ratesOf(charts.roc) : roc(curves, label);
  // A detector's weakest boxes are many, nearly all wrong, and never shown.
  const boxes = charts?.calibration.filter((bin) => bin.from > 0) ?? [];
  const openPoint =
    open && charts?.label === label
      ? (point: number) => open(behindPoint(label, point, metrics.task))
      : undefined;
  const score = rows.find((row) => row.label === label)?.score;
  const percent = (value: number) => formatPercent(value, i18n.locale, 1);
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <Select
          label={t`Label`}
          allowDeselect={false}
          searchable={rows.length > 12}
          data={rows.map((row) => row.label)}
          value={label}
          onChange={(value) => change({ of: value ?? undefined })}
        />
        <Downloads evaluation={evaluation} />
      </Group>
      <div className={classes.charts}>
        {precision ? (
          <CurveChart
            title={t`Precision over recall of ${label}`}
            xName={t`recall`}
            yName={t`precision`}
            points={precision}
            open={openPoint}
            note={
              score === null || score === undefined
                ? t`Point at the curve for its numbers.`
                : metrics.task === "detection"
                  ? t`Average precision at an overlap of one half: ${percent(score)}`
                  : t`F1: ${percent(score)}`
            }
          />
        ) : (
          <Text className="quiet">
            <Trans>No test image shows {label}, so there is no curve of it.</Trans>
          </Text>
        )}
        {rates && (
          <CurveChart
            title={t`ROC of ${label}`}
            xName={t`others that are called so`}
            yName={t`found`}
            points={rates.points}
            open={openPoint}
            hasDiagonal
            note={t`Area under the curve: ${percent(rates.area)}. The dashed line is guessing.`}
          />
        )}
        {curves.calibration && curves.calibration.length > 0 && (
          <div>
            <Calibration bins={curves.calibration} count={metrics.count ?? 0} open={open} />
            {metrics.task !== "detection" && <Corrected metrics={metrics} />}
          </div>
        )}
        {metrics.task === "detection" && charts && boxes.length > 0 && (
          <Calibration
            bins={boxes}
            count={boxes.reduce((sum, bin) => sum + bin.count, 0)}
            label={charts.label}
            open={open}
          />
        )}
      </div>
    </Stack>
  );
}

/** The same as files, for a report. */
function Downloads({ evaluation: { id, curves, metrics } }: { evaluation: Evaluation }) {
  const { t } = useLingui();
  const names: [string, string][] = [
    ...(metrics.confusion_matrix?.length ? ([["confusion", t`Confusion matrix`]] as [string, string][]) : []),
    ["precision_recall", t`Precision and recall`],
    ...(metrics.task !== "detection" && curves.per_class
      ? ([
          ["roc", "ROC"],
          ["calibration", t`Calibration`],
        ] as [string, string][])
      : []),
  ];
  return (
    <Text size="sm" className="quiet">
      <Trans>As pictures:</Trans>{" "}
      {names.map(([name, title], place) => (
        <span key={name}>
          {place > 0 && " · "}
          <Anchor
            underline="always"
            href={`/api/v1/evaluations/${id}/pictures/${name}/?kind=svg`}
            download={`${name}.svg`}
            size="sm"
          >
            {title}
          </Anchor>
        </span>
      ))}
    </Text>
  );
}
