import { Plural, Trans } from "@lingui/react/macro";
import { Container, Group, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { ActivityRow } from "../activity/ActivityRow";
import { newest } from "../activity/entries";
import { useActivity } from "../activity/queries";
import { useProjectCounts } from "./counts";
import { DataHealth } from "./parts/DataHealth";
import { NextStep } from "./parts/NextStep";
import { useProject } from "./queries";

export default function OverviewPage() {
  const { project } = useParams({ from: "/shell/projects/$project" });
  const { data } = useProject(project);
  const counts = useProjectCounts(project);
  const { data: activity } = useActivity(project);
  if (!data) return null;
  return (
    <Container size="lg" py="xl">
      <Stack gap="lg">
        <div>
          <Title order={1} size="h2">
            {data.name}
          </Title>
          <Text className="quiet">
            {data.task === "detection" ? (
              <Trans>Finds things with boxes</Trans>
            ) : (
              <Trans>Names what is on an image</Trans>
            )}
          </Text>
        </div>
        {data.role !== "viewer" && <NextStep project={data} counts={counts} />}
        <SimpleGrid cols={{ base: 1, sm: 3 }}>
          <Figure
            value={data.image_count}
            unit={<Plural value={data.image_count} one="image" other="images" />}
          />
          <Figure value={counts?.annotated ?? 0} unit={<Trans>labelled</Trans>} />
          <Figure
            value={data.model_count}
            unit={<Plural value={data.model_count} one="model" other="models" />}
          />
        </SimpleGrid>
        {data.image_count > 0 && <DataHealth project={data} counts={counts} />}
        {activity && activity.length > 0 && (
          <Paper className="panel" p="lg">
            <Stack gap="sm">
              <Title order={2} size="h4">
                <Trans>Background work</Trans>
              </Title>
              {newest(activity, 6).map((entry) => (
                <ActivityRow key={entry.id} entry={entry} />
              ))}
            </Stack>
          </Paper>
        )}
      </Stack>
    </Container>
  );
}

function Figure({ value, unit }: { value: number; unit: React.ReactNode }) {
  return (
    <Paper className="panel" p="md">
      <Group gap={8} align="baseline">
        <Text fz={28} fw={650} style={{ fontVariantNumeric: "tabular-nums" }}>
          {value.toLocaleString()}
        </Text>
        <Text className="quiet">{unit}</Text>
      </Group>
    </Paper>
  );
}
