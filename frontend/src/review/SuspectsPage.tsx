import { Trans, useLingui } from "@lingui/react/macro";
import { Center, Container, Loader, Stack, Text } from "@mantine/core";
import { useParams, useSearch } from "@tanstack/react-router";
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
import { BY_FEATURES, isNamed, refreshSuspects, useSuspectSearches } from "./suspects";

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
  const search = searches.data.find((one) => isNamed(one, wanted.model, wanted.dataset)) ?? searches.data[0];
  const start = mayEdit && (
    <StartSuspects
      project={project}
      models={models.data}
      isBusy={running !== undefined}
      onStart={(model, dataset) => void navigate({ search: { model, dataset } })}
    />
  );
  const progress = running && (
    <RunningWork entry={running} title={t`Every label is compared with what the image shows.`} />
  );
  if (search)
    return (
      <SuspectReview
        key={`${search.model ?? BY_FEATURES}-${search.dataset}`}
        project={project}
        search={search}
        searches={searches.data}
        choose={({ model, dataset }) => void navigate({ search: { model: model ?? BY_FEATURES, dataset } })}
        foot={
          <Stack>
            {progress}
            {start}
          </Stack>
        }
      />
    );
  return (
    <Container size="xs" py="xl">
      <EmptyState icon="search" title={<Trans>No label was looked at yet</Trans>}>
        <Trans>
          Each label is compared with what was learned from other images: by a model, or by how the images
          look before there is any model. The labels that fit least are shown here, one after the other.
        </Trans>
      </EmptyState>
      {progress}
      {start}
      {!mayEdit && (
        <Text size="sm" className="quiet" ta="center">
          <Trans>You may look at this project. Its editors start the search.</Trans>
        </Text>
      )}
    </Container>
  );
}
