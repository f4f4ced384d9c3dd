import { Trans } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import type { Label } from "../../api/types";
import type { Model } from "../../models/queries";
import { EmptyState } from "../../ui/EmptyState";
import type { Evaluation } from "../queries";
import type { Behind, QualitySearch, View as ViewName } from "../search";
import { CardView } from "./CardView";
import { Charts } from "./Charts";
import { LabelTable } from "./LabelTable";
import { Matrix } from "./Matrix";
import { Mistakes } from "./Mistakes";
import { Thresholds } from "./Thresholds";

interface Props {
  view: ViewName;
  project: string;
  model: Model;
  evaluation: Evaluation;
  labels: Label[];
  search: QualitySearch;
  go: (next: QualitySearch) => void;
  open: ((behind: Behind) => void) | undefined;
}

/** The part of the page that its buttons choose. */
export function View({ view, project, model, evaluation, labels, search, go, open }: Props) {
  const change = (next: Partial<QualitySearch>) => go({ ...search, ...next });
  const { metrics } = evaluation;
  if (view === "card") return <CardView project={project} model={model} />;
  if (view === "confusion")
    return metrics.confusion_matrix?.length ? (
      <Matrix
        classNames={model.class_names}
        matrix={metrics.confusion_matrix}
        search={search}
        change={change}
        open={open}
      />
    ) : (
      <NotKept />
    );
  if (view === "charts")
    return <Charts project={project} evaluation={evaluation} search={search} change={change} open={open} />;
  if (view === "labels")
    return metrics.per_class?.length ? (
      <LabelTable evaluation={evaluation} labels={labels} search={search} change={change} open={open} />
    ) : (
      <NotKept />
    );
  if (!evaluation.has_outcomes) return <NotKept />;
  if (view === "mistakes")
    return <Mistakes project={project} evaluation={evaluation} search={search} go={go} />;
  return (
    <Thresholds project={project} model={model} evaluation={evaluation} search={search} change={change} />
  );
}

function NotKept() {
  return (
    <EmptyState icon="chart-bar" title={<Trans>This was not kept of the evaluation</Trans>}>
      <Text span>
        <Trans>Measure the model again, further up on this page.</Trans>
      </Text>
    </EmptyState>
  );
}
