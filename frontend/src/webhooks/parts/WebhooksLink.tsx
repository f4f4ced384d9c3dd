import { Trans } from "@lingui/react/macro";
import { Button, Group, Paper, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";

/** For the settings of a project. */
export function WebhooksLink({ project }: { project: string }) {
  return (
    <Paper className="panel" p="lg">
      <Group justify="space-between">
        <Text size="sm">
          <Trans>Call other programs when something has ended.</Trans>
        </Text>
        <Button component={Link} to={`/projects/${project}/settings/webhooks`} variant="default">
          <Trans>Webhooks</Trans>
        </Button>
      </Group>
    </Paper>
  );
}
