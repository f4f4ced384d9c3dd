import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Paper, Stack, Text, Title } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { ActivityRow } from "../activity/ActivityRow";
import { newest } from "../activity/entries";
import { useActivity } from "../activity/queries";
import { formatNumber } from "../ui/numbers";
import { Page } from "../ui/Page";
import { useProjectCounts } from "./counts";
import classes from "./Overview.module.css";
import { DataHealth } from "./parts/DataHealth";
import { NextStep } from "./parts/NextStep";
import { TaskInWords } from "./parts/TaskInWords";
import { useProject } from "./queries";

export default function OverviewPage() {
  const { project } = useParams({ from: "/shell/projects/$project" });
  const { data } = useProject(project);
  const counts = useProjectCounts(project);
  const { data: activity } = useActivity(project);
  if (!data) return null;
  return (
    <Page>
      <Stack gap="lg">
        <div>
          <Title order={1} size="h2">
            {data.name}
          </Title>
          <Text className="quiet">
            <TaskInWords task={data.task} />
          </Text>
        </div>
        {data.role !== "viewer" && <NextStep project={data} counts={counts} />}
        <div className={classes.figures}>
          <Figure
            value={data.image_count}
            unit={<Plural value={data.image_count} one="image" other="images" />}
          />
          <Figure value={counts?.annotated} unit={<Trans>labelled</Trans>} />
          <Figure
            value={data.model_count}
            unit={<Plural value={data.model_count} one="model" other="models" />}
          />
        </div>
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
    </Page>
  );
}

/** A count; a dash until it is known. */
function Figure({ value, unit }: { value: number | undefined; unit: React.ReactNode }) {
  const { i18n } = useLingui();
  return (
    <Paper className={`panel ${classes.figure}`}>
      <span className={classes.value}>{value === undefined ? "–" : formatNumber(value, i18n.locale)}</span>
      <span className="quiet">{unit}</span>
    </Paper>
  );
}
