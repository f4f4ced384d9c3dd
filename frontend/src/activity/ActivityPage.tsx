import { Trans } from "@lingui/react/macro";
import { Paper, Stack, Title } from "@mantine/core";
import { EmptyState } from "../ui/EmptyState";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { ActivityRow } from "./ActivityRow";
import { useActivity } from "./queries";

export default function ActivityPage() {
  const { data, error, refetch } = useActivity(null);
  return (
    <Page width="sm">
      <Stack>
        <Title order={1} size="h2">
          <Trans>Activity</Trans>
        </Title>
        <Problem error={error} retry={() => void refetch()} />
        {data?.length === 0 && (
          <EmptyState icon="clock" title={<Trans>Nothing ran yet</Trans>}>
            <Trans>Imports, exports and trainings of all your projects will be listed here.</Trans>
          </EmptyState>
        )}
        {data?.map((entry) => (
          <Paper key={entry.id} className="panel" p="md">
            <ActivityRow entry={entry} />
          </Paper>
        ))}
      </Stack>
    </Page>
  );
}
