import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Group, Paper, Select, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { ModelTabs } from "../models/parts/ModelTabs";
import { useModel } from "../models/queries";
import { useLabels } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { intoView } from "../ui/intoView";
import { formatTime } from "../ui/numbers";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { usePageNavigate } from "../ui/usePageNavigate";
import { BehindPanel } from "./parts/BehindPanel";
import { Headline } from "./parts/Headline";
import { Measure } from "./parts/Measure";
import { NextSteps } from "./parts/NextSteps";
import { View } from "./parts/View";
import classes from "./Quality.module.css";
import { type Evaluation, useEvaluations } from "./queries";
import { type Behind, type QualitySearch, type View as ViewName, withBehind } from "./search";

/** How good a model is, in words first; every number opens its images. */
export default function QualityPage() {
  const { project, model: id } = useParams({ from: "/shell/projects/$project/models/$model/quality" });
  const model = useModel(project, id);
  const evaluations = useEvaluations(project, id);
  const error = model.error ?? evaluations.error;
  return (
    <Page>
      <Stack gap="lg">
        <div>
          <Anchor component={Link} to={`/projects/${project}/models/${id}`} size="sm">
            {model.data ? `${model.data.name} v${model.data.version}` : <Trans>The model</Trans>}
          </Anchor>
          <Title order={1} size="h2" mt={4}>
            <Trans>How good it is</Trans>
          </Title>
          <ModelTabs project={project} model={id} />
        </div>
        <Problem
          error={error}
          retry={() => {
            void model.refetch();
            void evaluations.refetch();
          }}
        />
        {!error && (!model.data || !evaluations.data) && (
          <>
            <Skeleton height={120} />
            <Skeleton height={320} />
          </>
        )}
        {model.data && evaluations.data?.length === 0 && (
          <EmptyState
            icon="chart-bar"
            title={<Trans>It has not been measured yet</Trans>}
            action={<Measure project={project} model={model.data} />}
          >
            <Trans>Measure it on images with labels that it has not learned from.</Trans>
          </EmptyState>
        )}
        {model.data && evaluations.data && evaluations.data.length > 0 && (
          <Measured project={project} model={model.data} evaluations={evaluations.data} />
        )}
      </Stack>
    </Page>
  );
}

interface Props {
  project: string;
  model: NonNullable<ReturnType<typeof useModel>["data"]>;
  evaluations: Evaluation[];
}

function Measured({ project, model, evaluations }: Props) {
  const { t } = useLingui();
  const search = useSearch({ from: "/shell/projects/$project/models/$model/quality" });
  const navigate = usePageNavigate({ from: "/projects/$project/models/$model/quality" });
  const { data: labels = [] } = useLabels(project);
  const evaluation =
    evaluations.find(({ id }) => id === search.evaluation) ??
    evaluations.find(({ split }) => split === "test") ??
    evaluations[0];
  if (!evaluation) return null;
  const go = (next: QualitySearch) =>
    void navigate({
      search: next,
      resetScroll: false,
      // Back closes the panel at once, however many images one has looked at.
      replace: !(next.outcome && !search.outcome),
    });
  const change = (next: Partial<QualitySearch>) => go({ ...search, ...next });
  const open = evaluation.has_outcomes ? (behind: Behind) => go(withBehind(search, behind)) : undefined;
  // Where each label is decided by itself none is taken for another.
  const hasConfusion = model.task !== "multilabel";
  const chosen = search.view ?? "labels";
  const view = chosen === "confusion" && !hasConfusion ? "labels" : chosen;
  const views: [ViewName, string][] = [
    ["labels", t`By label`],
    ...(hasConfusion ? [["confusion", t`Confusion`] as [ViewName, string]] : []),
    ["mistakes", t`Worst mistakes`],
    ["charts", t`Charts`],
    ["thresholds", t`Thresholds`],
    ["card", t`Model card`],
  ];
  return (
    <>
      <Paper className="panel" p={{ base: "sm", sm: "lg" }}>
        <Stack gap="md">
          <Headline project={project} evaluation={evaluation} />
          {evaluations.length > 1 && (
            <Evaluations
              evaluations={evaluations}
              current={evaluation}
              choose={(id) => go({ ...withBehind(search, null), evaluation: id })}
            />
          )}
          {!evaluation.has_outcomes && (
            <Stack gap="xs">
              <Text size="sm" c="var(--studio-warn)">
                <Trans>Only figures were kept of this evaluation. Measure it again to see the images.</Trans>
              </Text>
              <Measure project={project} model={model} />
            </Stack>
          )}
        </Stack>
      </Paper>
      <div className={classes.tabs} role="group" aria-label={t`What is shown`}>
        {views.map(([name, title]) => (
          <Button
            key={name}
            size="compact-sm"
            variant={view === name ? "filled" : "default"}
            aria-pressed={view === name}
            ref={view === name ? intoView : undefined}
            onClick={() => change({ view: name === "labels" ? undefined : name })}
          >
            {title}
          </Button>
        ))}
      </div>
      <Paper className="panel" p={{ base: "sm", sm: "lg" }}>
        <View
          view={view}
          project={project}
          model={model}
          evaluation={evaluation}
          labels={labels}
          search={search}
          go={go}
          open={open}
        />
      </Paper>
      {view === "labels" && (
        <Paper className="panel" p={{ base: "sm", sm: "lg" }}>
          <NextSteps project={project} model={model} evaluation={evaluation} open={open} />
        </Paper>
      )}
      {evaluation.has_outcomes && (
        <details>
          <Text component="summary" size="sm" className="quiet" style={{ cursor: "pointer" }}>
            <Trans>Measure it on other images</Trans>
          </Text>
          <Group mt="sm">
            <Measure project={project} model={model} />
          </Group>
        </details>
      )}
      <BehindPanel project={project} evaluation={evaluation} search={search} go={go} />
    </>
  );
}

function Evaluations({
  evaluations,
  current,
  choose,
}: {
  evaluations: Evaluation[];
  current: Evaluation;
  choose: (id: string) => void;
}) {
  const { t, i18n } = useLingui();
  return (
    <Select
      label={t`Evaluation`}
      allowDeselect={false}
      maw={520}
      data={evaluations.map(({ id, snapshot_name: name, split, file_kind: kind, created_at: time }) => ({
        value: id,
        label: [name ?? t`deleted snapshot`, split, kind, formatTime(time, i18n.locale)].join(" · "),
      }))}
      value={current.id}
      onChange={(value) => value && choose(value)}
    />
  );
}
