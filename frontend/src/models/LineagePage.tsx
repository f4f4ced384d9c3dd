import { Trans } from "@lingui/react/macro";
import { Anchor, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { useLineage } from "./lineage";
import { LineageColumns } from "./parts/LineageColumns";
import { ModelTabs } from "./parts/ModelTabs";
import { useModel } from "./queries";

/** Where a model comes from and where it went: labels, snapshot, training, files, devices. */
export default function LineagePage() {
  const { project, model: id } = useParams({ from: "/shell/projects/$project/models/$model/lineage" });
  const model = useModel(project, id);
  const lineage = useLineage(project, id);
  const error = model.error ?? lineage.error;
  return (
    <Page>
      <Stack gap="lg">
        <Problem
          error={error}
          retry={() => {
            void model.refetch();
            void lineage.refetch();
          }}
        />
        {!error && !model.data && <Skeleton height={44} width="50%" />}
        {model.data && (
          <div>
            <Anchor component={Link} to={`/projects/${project}/models`} size="sm">
              <Trans>All models</Trans>
            </Anchor>
            <Title order={1} size="h2" mt={4} style={{ overflowWrap: "anywhere" }}>
              {model.data.name} v{model.data.version}
            </Title>
            <ModelTabs project={project} model={id} />
          </div>
        )}
        {!error && !lineage.data && <Skeleton height={240} />}
        {model.data && lineage.data && (
          <Paper className="panel" p="lg">
            <Stack gap="lg">
              <LineageColumns project={project} model={model.data} lineage={lineage.data} />
              {lineage.data.labelled_by.length > 0 && (
                <Text size="xs" className="quiet">
                  <Trans>
                    Who labelled is counted on the labels that the snapshot’s images have now. What the model
                    learned from is in the snapshot, and does not change.
                  </Trans>
                </Text>
              )}
            </Stack>
          </Paper>
        )}
      </Stack>
    </Page>
  );
}
