import { Trans } from "@lingui/react/macro";
import { Anchor, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useArchitectureTitle } from "../trainings/queries";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { Meaning } from "./parts/Meaning";
import { ModelTabs } from "./parts/ModelTabs";
import { Published } from "./parts/Published";
import { TryPanel } from "./parts/TryPanel";
import { useModel } from "./queries";

/** A model: what its figures mean, and a place to drop an image. */
export default function ModelPage() {
  const { project, model: id } = useParams({ from: "/shell/projects/$project/models/$model" });
  const { data: model, error, refetch } = useModel(project, id);
  const architectureTitle = useArchitectureTitle();
  return (
    <Page>
      <Stack gap="lg">
        <Problem error={error} retry={() => void refetch()} />
        {!model && !error && (
          <>
            <Skeleton height={44} width="50%" />
            <Skeleton height={320} />
          </>
        )}
        {model && (
          <>
            <div>
              <Anchor component={Link} to={`/projects/${project}/models`} size="sm">
                <Trans>All models</Trans>
              </Anchor>
              <Title order={1} size="h2" mt={4}>
                {model.name} v{model.version}
              </Title>
              <Group gap="md">
                <Text className="quiet" size="sm">
                  {architectureTitle(model.architecture)} · {model.input_width} × {model.input_height} px
                </Text>
                {model.training && (
                  <Anchor component={Link} to={`/projects/${project}/trainings/${model.training}`} size="sm">
                    <Trans>Its training</Trans>
                  </Anchor>
                )}
              </Group>
              <Published project={project} model={id} />
              <ModelTabs project={project} model={id} />
            </div>
            <Paper className="panel" p="lg">
              <Meaning metrics={model.metrics} />
            </Paper>
            <TryPanel project={project} model={model} />
          </>
        )}
      </Stack>
    </Page>
  );
}
