import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Center, Loader, Paper, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { RunningWork } from "../activity/RunningWork";
import { useRunning } from "../activity/useRunning";
import { asStudioError } from "../api/errors";
import { useModels } from "../models/queries";
import { useMayEdit } from "../projects/queries";
import { useProjectSnapshots } from "../snapshots/queries";
import { EmptyState } from "../ui/EmptyState";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { usePageNavigate } from "../ui/usePageNavigate";
import { Differences } from "./parts/Differences";
import { Figures } from "./parts/Figures";
import { ModelChoice } from "./parts/ModelChoice";
import { Verdicts } from "./parts/Verdicts";
import { type Asked, measure, refreshComparisons, useModelComparison } from "./queries";
import { idsOf } from "./search";

/** Two to five models on the same images: which is better, whether that is more than luck, and where they differ. */
export default function ComparePage() {
  const { t } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project/models/compare" });
  const search = useSearch({ from: "/shell/projects/$project/models/compare" });
  const navigate = usePageNavigate({ from: "/projects/$project/models/compare" });
  const models = useModels(project);
  const snapshots = useProjectSnapshots(project);
  const asked: Asked = {
    ids: idsOf(search.ids),
    snapshot: search.snapshot,
    split: search.split ?? "test",
  };
  const comparison = useModelComparison(project, asked);
  const choose = (next: Partial<Asked>) => {
    const all = { ...asked, ...next };
    const found = { ids: all.ids.join() || undefined, snapshot: all.snapshot, split: all.split };
    void navigate({ search: found, replace: true, resetScroll: false });
  };
  const error = models.error ?? snapshots.error ?? comparison.error;
  const held = snapshots.data?.filter(({ has_images: hasImages }) => hasImages) ?? [];
  return (
    <Page>
      <Stack gap="lg">
        <div>
          <Anchor component={Link} to={`/projects/${project}/models`} size="sm">
            <Trans>All models</Trans>
          </Anchor>
          <Title order={1} size="h2" mt={4}>
            <Trans>Compare models</Trans>
          </Title>
        </div>
        {models.data && <ModelChoice models={models.data} snapshots={held} asked={asked} choose={choose} />}
        <Problem error={error} retry={() => void comparison.refetch()} />
        {asked.ids.length < 2 && models.data && (
          <EmptyState
            icon="chart-bar"
            title={
              models.data.length < 2 ? <Trans>It takes two models</Trans> : <Trans>Choose two models</Trans>
            }
          >
            <Trans>
              They are asked about the same images that neither has learned from. A test says whether the
              difference is more than luck.
            </Trans>
          </EmptyState>
        )}
        {asked.ids.length > 1 && comparison.isPending && (
          <Center mih={200}>
            <Loader aria-label={t`Loading`} />
          </Center>
        )}
        {comparison.data === null && (
          <NotMeasured
            project={project}
            asked={asked}
            snapshot={asked.snapshot ?? newestOf(asked.ids, models.data) ?? held[0]?.id}
          />
        )}
        {comparison.data && (
          <>
            <Paper className="panel" p="lg">
              <Verdicts comparison={comparison.data} />
            </Paper>
            <Paper className="panel" p="md">
              <Figures project={project} comparison={comparison.data} />
            </Paper>
            <Differences project={project} comparison={comparison.data} />
          </>
        )}
      </Stack>
    </Page>
  );
}

/** The snapshot of the newest of these models, whose test images none of them should have learned from. */
function newestOf(ids: string[], models: { id: string; snapshot: string | null }[] | undefined) {
  return models?.find(({ id, snapshot }) => ids.includes(id) && snapshot)?.snapshot ?? undefined;
}

interface Props {
  project: string;
  asked: Asked;
  snapshot: string | undefined;
}

function NotMeasured({ project, asked, snapshot }: Props) {
  const { t } = useLingui();
  const mayEdit = useMayEdit(project);
  const running = useRunning(project, "comparison", () => void refreshComparisons(project));
  if (running) return <RunningWork entry={running} title={t`The models are asked about the same images.`} />;
  const start = () =>
    void measure({ ...asked, snapshot: snapshot ?? "" }).catch((problem) =>
      notifications.show({ color: "red", message: asStudioError(problem).message }),
    );
  return (
    <EmptyState
      icon="chart-bar"
      title={<Trans>Not measured on the same images yet</Trans>}
      action={
        mayEdit &&
        snapshot && (
          <Button onClick={start}>
            <Trans>Measure them</Trans>
          </Button>
        )
      }
    >
      {mayEdit ? (
        <Trans>
          Each model is asked about every image of the split. It takes seconds for a hundred images.
        </Trans>
      ) : (
        <Text span inherit>
          <Trans>You may look at this project. Its editors can have the models measured.</Trans>
        </Text>
      )}
    </EmptyState>
  );
}
