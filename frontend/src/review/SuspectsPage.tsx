import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Container, Loader, Stack, Text } from "@mantine/core";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { RunningWork } from "../activity/RunningWork";
import { useRunning } from "../activity/useRunning";
import { isInTheWay } from "../api/errors";
import { useModels } from "../models/queries";
import { useMayEdit } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Problem } from "../ui/Problem";
import { usePageNavigate } from "../ui/usePageNavigate";
import { ReviewTabs } from "./parts/ReviewTabs";
import { StartSuspects } from "./parts/StartSuspects";
import { SuspectReview } from "./parts/SuspectReview";
import { refreshSuspects, useSuspectSearches } from "./suspects";

/** Labels that a model doubts: looked for from here, and decided one after the other. */
export default function SuspectsPage() {
  const { project } = useParams({ from: "/shell/projects/$project/review/suspects" });
  return (
    <>
      <ReviewTabs project={project} />
      <Suspects project={project} />
    </>
  );
}

function Suspects({ project }: { project: string }) {
  const { t } = useLingui();
  const wanted = useSearch({ from: "/shell/projects/$project/review/suspects" });
  const navigate = usePageNavigate({ from: "/projects/$project/review/suspects" });
  const searches = useSuspectSearches(project);
  const models = useModels(project);
  const mayEdit = useMayEdit(project);
  const running = useRunning(project, "suspects", () => void refreshSuspects(project));
  const error = searches.error ?? models.error;
  if (isInTheWay(error, searches.data && models.data))
    return <Problem error={error} retry={() => void searches.refetch()} />;
  if (!searches.data || !models.data)
    return (
      <Center mih="60vh">
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  const search =
    searches.data.find(({ model, dataset }) => model === wanted.model && dataset === wanted.dataset) ??
    searches.data[0];
  const start = mayEdit && models.data.length > 0 && (
    <StartSuspects
      project={project}
      models={models.data}
      isBusy={running !== undefined}
      onStart={(model, dataset) => void navigate({ search: { model, dataset } })}
    />
  );
  const progress = running && (
    <RunningWork entry={running} title={t`The model compares every label with what it sees.`} />
  );
  if (search)
    return (
      <SuspectReview
        key={`${search.model}-${search.dataset}`}
        project={project}
        search={search}
        searches={searches.data}
        choose={({ model, dataset }) => void navigate({ search: { model, dataset } })}
        foot={
          <Stack>
            {progress}
            {start}
          </Stack>
        }
      />
    );
  if (models.data.length === 0)
    return (
      <EmptyState
        icon="brain"
        title={<Trans>Labels are checked with a model</Trans>}
        action={
          <Button component={Link} to={`/projects/${project}`} variant="default">
            <Trans>To the overview</Trans>
          </Button>
        }
      >
        <Trans>
          Train a model on this project first. It then shows the images whose label it believes least.
        </Trans>
      </EmptyState>
    );
  return (
    <Container size="xs" py="xl">
      <EmptyState icon="search" title={<Trans>No label was looked at yet</Trans>}>
        <Trans>
          A model compares each label with what it sees on images that it did not learn from. The labels it
          believes least are shown here, one after the other.
        </Trans>
      </EmptyState>
      {progress}
      {start}
      {!mayEdit && (
        <Text size="sm" className="quiet" ta="center">
          <Trans>You may look at this project. Its editors start the search.</Trans>
        </Text>
      )}
      <Text size="xs" className="quiet" ta="center" mt="md">
        <Plural value={models.data.length} one="# model is ready." other="# models are ready." />
      </Text>
    </Container>
  );
}
