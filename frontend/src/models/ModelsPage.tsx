import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Container, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useProject } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { formatPercent, formatTime } from "../ui/numbers";
import { Problem } from "../ui/Problem";
import { useModels } from "./queries";

/** The models of the project, the newest first. */
export default function ModelsPage() {
  const { i18n } = useLingui();
  const { project: id } = useParams({ from: "/shell/projects/$project/models" });
  const { data: project } = useProject(id);
  const { data: models, error, refetch } = useModels(id);
  return (
    <Container size="lg" py="xl">
      <Stack gap="md">
        <Title order={1} size="h2">
          <Trans>Models</Trans>
        </Title>
        <Problem error={error} retry={() => void refetch()} />
        {!models && !error && ["a", "b"].map((key) => <Skeleton key={key} height={70} radius="md" />)}
        {models?.length === 0 && (
          <EmptyState
            icon="brain"
            title={<Trans>No model yet</Trans>}
            action={
              project?.role !== "viewer" && (
                <Button component={Link} to={`/projects/${id}/trainings/new`}>
                  <Trans>Train a model</Trans>
                </Button>
              )
            }
          >
            <Trans>A training makes a model out of your labelled images.</Trans>
          </EmptyState>
        )}
        {models?.map((model) => {
          const figure = project?.task === "detection" ? model.metrics.ap50 : model.metrics.accuracy;
          return (
            <Link
              key={model.id}
              to="/projects/$project/models/$model"
              params={{ project: id, model: model.id }}
              className="plain"
            >
              <Paper className="panel" p="md">
                <Group justify="space-between" wrap="nowrap">
                  <div style={{ minWidth: 0 }}>
                    <Text fw={600} truncate>
                      {model.name} v{model.version}
                    </Text>
                    <Text size="sm" className="quiet" truncate>
                      {model.architecture.replaceAll("_", " ")} · {formatTime(model.created_at, i18n.locale)}
                    </Text>
                  </div>
                  <Group gap="sm" wrap="nowrap">
                    {typeof figure === "number" && (
                      <Text fw={650} style={{ whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}>
                        {project?.task === "detection" ? "AP50 " : ""}
                        {formatPercent(figure, i18n.locale, 1)}
                      </Text>
                    )}
                    <Icon name="chevron-right" />
                  </Group>
                </Group>
              </Paper>
            </Link>
          );
        })}
      </Stack>
    </Container>
  );
}
