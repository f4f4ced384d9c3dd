import { Trans } from "@lingui/react/macro";
import { Button, Group, Paper, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Meaning } from "../../models/parts/Meaning";
import { useModel } from "../../models/queries";
import { Duration } from "../../ui/Duration";
import { Icon } from "../../ui/Icon";
import type { Training } from "../queries";

/** What came of it, in one sentence, and the way to the model. */
export function Result({ project, run, mayEdit }: { project: string; run: Training; mayEdit: boolean }) {
  const { data: model } = useModel(project, run.model);
  if (!run.model)
    return (
      <Paper className="panel" p="lg">
        <Trans>The training is done; its model was deleted since.</Trans>
      </Paper>
    );
  return (
    <Paper className="panel" p="lg" style={{ borderLeft: "4px solid var(--studio-good)" }}>
      <Stack gap="sm">
        <Group gap="xs" wrap="nowrap">
          <span style={{ color: "var(--studio-good)" }}>
            <Icon name="circle-check" />
          </span>
          <Text fw={600}>
            {run.actual ? (
              <Trans>
                The model is ready. It took <Duration seconds={run.actual.seconds} />.
              </Trans>
            ) : (
              <Trans>The model is ready.</Trans>
            )}
          </Text>
        </Group>
        {model && <Meaning metrics={model.metrics} />}
        <Group>
          <Button
            component={Link}
            to={`/projects/${project}/models/${run.model}`}
            leftSection={<Icon name="sparkles" />}
          >
            <Trans>Try the model</Trans>
          </Button>
          {mayEdit && (
            <Button
              component={Link}
              to={`/projects/${project}/trainings/new?base=${run.model}`}
              variant="default"
            >
              <Trans>Train it further</Trans>
            </Button>
          )}
        </Group>
      </Stack>
    </Paper>
  );
}
