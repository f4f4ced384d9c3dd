import { Trans } from "@lingui/react/macro";
import { Button, Group, Paper, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";

/** For the settings of a project. */
export function TrashLink({ project }: { project: string }) {
  return (
    <Paper className="panel" p="lg">
      <Group justify="space-between">
        <Text size="sm">
          <Trans>What was deleted of this project, to be restored.</Trans>
        </Text>
        <Button component={Link} to={`/projects/${project}/settings/trash`} variant="default">
          <Trans>Open the trash</Trans>
        </Button>
      </Group>
    </Paper>
  );
}
