import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import type { Project } from "../api/types";
import { useMayEdit, useProject } from "../projects/queries";
import { useArchitectureTitle } from "../trainings/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { formatPercent, formatTime } from "../ui/numbers";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { type ModelSummary, useModelPages, usePublicPages } from "./queries";

/** The models of the project, the newest first, and those that others let everybody use. */
export default function ModelsPage() {
  const { project: id } = useParams({ from: "/shell/projects/$project/models" });
  const { data: project } = useProject(id);
  const mayEdit = useMayEdit(id);
  const pages = useModelPages(id);
  const models = pages.data?.pages.flatMap(({ results }) => results);
  const add = mayEdit && (
    <Button variant="default" component={Link} to={`/projects/${id}/models/upload`}>
      <Trans>Add a model from elsewhere</Trans>
    </Button>
  );
  return (
    <Page>
      <Stack gap="md">
        <Group justify="space-between">
          <Title order={1} size="h2">
            <Trans>Models</Trans>
          </Title>
          <Group gap="sm">
            {models && models.length > 1 && <Compare project={id} models={models} />}
            {models && models.length > 0 && add}
          </Group>
        </Group>
        <Problem error={pages.error} retry={() => void pages.refetch()} />
        {!models && !pages.error && ["a", "b"].map((key) => <Skeleton key={key} height={70} radius="md" />)}
        {models?.length === 0 && (
          <EmptyState
            icon="brain"
            title={<Trans>No model yet</Trans>}
            action={
              mayEdit && (
                <Group justify="center">
                  <Button component={Link} to={`/projects/${id}/trainings/new`}>
                    <Trans>Train a model</Trans>
                  </Button>
                  {add}
                </Group>
              )
            }
          >
            <Trans>A training makes a model out of your labelled images.</Trans>
          </EmptyState>
        )}
        {models?.map((model) => (
          <Row key={model.id} project={id} task={project?.task} model={model} />
        ))}
        {pages.hasNextPage && <More pages={pages} />}
        {project && <Public project={project} />}
      </Stack>
    </Page>
  );
}

/** Models that others have made public, for the same kind of question. Left out where there are none. */
function Public({ project }: { project: Project }) {
  const pages = usePublicPages(project.id, project.task);
  const models = pages.data?.pages.flatMap(({ results }) => results) ?? [];
  const others = models.filter((one) => one.project !== project.id);
  if (others.length === 0) return null;
  return (
    <Stack gap="md" component="section" mt="lg" aria-labelledby="public-models">
      <div>
        <Title order={2} size="h4" id="public-models">
          <Trans>Public models of other projects</Trans>
        </Title>
        <Text size="sm" className="quiet">
          <Trans>
            Everybody here may try them, take suggestions from them, and start a training from one.
          </Trans>
        </Text>
      </div>
      {others.map((model) => (
        <Row key={model.id} project={project.id} task={project.task} model={model} />
      ))}
      {pages.hasNextPage && <More pages={pages} />}
    </Stack>
  );
}

function More({ pages }: { pages: { isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> } }) {
  return (
    <Button variant="default" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
      <Trans>Show more models</Trans>
    </Button>
  );
}

function Compare({ project, models }: { project: string; models: { id: string }[] }) {
  return (
    <Button
      variant="default"
      renderRoot={(props) => (
        <Link
          to="/projects/$project/models/compare"
          params={{ project }}
          search={{ ids: newestTwo(models).join() }}
          {...props}
        />
      )}
    >
      <Trans>Compare</Trans>
    </Button>
  );
}

interface RowProps {
  project: string;
  task: Project["task"] | undefined;
  model: ModelSummary;
}

function Row({ project, task, model }: RowProps) {
  const architectureTitle = useArchitectureTitle();
  const { i18n } = useLingui();
  const { ap50, accuracy, mean_average_precision: precision } = model.metrics;
  const figure = task === "detection" ? ap50 : task === "multilabel" ? precision : accuracy;
  return (
    <Link to="/projects/$project/models/$model" params={{ project, model: model.id }} className="plain">
      <Paper className="panel" p="md">
        <Group justify="space-between" wrap="nowrap">
          <div style={{ minWidth: 0 }}>
            <Text fw={600} truncate>
              {model.name} v{model.version}
            </Text>
            <Text size="sm" className="quiet" truncate>
              {architectureTitle(model.architecture)} · {formatTime(model.created_at, i18n.locale)}
            </Text>
          </div>
          <Group gap="sm" wrap="nowrap">
            {typeof figure === "number" && (
              <Text fw={650} style={{ whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}>
                {task === "detection" ? "AP50 " : task === "multilabel" ? "mAP " : ""}
                {formatPercent(figure, i18n.locale, 1)}
              </Text>
            )}
            <Icon name="chevron-right" />
          </Group>
        </Group>
      </Paper>
    </Link>
  );
}

/** The older one first: it is what the newer is compared with. */
function newestTwo(models: { id: string }[]): string[] {
  return models
    .slice(0, 2)
    .map(({ id }) => id)
    .reverse();
}
