import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Skeleton, Stack, Title } from "@mantine/core";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useProject } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { filterOf } from "./listSearch";
import { ListFilters } from "./parts/ListFilters";
import { SearchRow } from "./parts/SearchRow";
import { TrainingRow } from "./parts/TrainingRow";
import { useSearches, useTrainings } from "./queries";

/** All trainings of the project, the newest first, and searches for better settings. */
export default function TrainingsPage() {
  const { t } = useLingui();
  const { project: id } = useParams({ from: "/shell/projects/$project/trainings" });
  const search = useSearch({ from: "/shell/projects/$project/trainings" });
  const navigate = useNavigate();
  const { data: project } = useProject(id);
  const [now] = useState(Date.now);
  const filter = filterOf(search, now);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useTrainings(id, filter);
  const { data: searches = [] } = useSearches(id);
  const runs = data?.pages.flatMap(({ results }) => results) ?? [];
  const isNarrowed = Object.keys(filter).length > 0;
  const mayTrain = project !== undefined && project.role !== "viewer";
  const train = mayTrain && (
    <Button component={Link} to={`/projects/${id}/trainings/new`} leftSection={<Icon name="player-play" />}>
      <Trans context="verb">Train</Trans>
    </Button>
  );
  return (
    <Page>
      <Stack gap="md">
        <Group justify="space-between">
          <Title order={1} size="h2">
            <Trans>Trainings</Trans>
          </Title>
          {(runs.length > 0 || isNarrowed) && train}
        </Group>
        {(runs.length > 0 || isNarrowed) && (
          <ListFilters
            project={id}
            search={search}
            onChange={(next) =>
              void navigate({
                to: "/projects/$project/trainings",
                params: { project: id },
                search: next,
                replace: true,
              })
            }
          />
        )}
        <Problem error={error} retry={() => void refetch()} />
        {!data && !error && ["a", "b", "c"].map((key) => <Skeleton key={key} height={74} radius="md" />)}
        {data && runs.length === 0 && !isNarrowed && (
          <EmptyState icon="brain" title={<Trans>No training yet</Trans>} action={train || undefined}>
            <Trans>
              A training makes a model out of your labelled images. It tells beforehand how long it takes.
            </Trans>
          </EmptyState>
        )}
        {data && runs.length === 0 && isNarrowed && (
          <EmptyState icon="filter" title={<Trans>No training fits these filters</Trans>} />
        )}
        {project &&
          runs.map((run) => <TrainingRow key={run.id} run={run} task={project.task ?? "classification"} />)}
        {hasNextPage && (
          <Group justify="center">
            <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              <Trans>Show more</Trans>
            </Button>
          </Group>
        )}
        {searches.length > 0 && !isNarrowed && (
          <Stack gap="sm" mt="md" aria-label={t`Searches for better settings`} role="region">
            <Title order={2} size="h4">
              <Trans>Searches for better settings</Trans>
            </Title>
            {searches.map((one) => (
              <SearchRow key={one.id} search={one} />
            ))}
          </Stack>
        )}
      </Stack>
    </Page>
  );
}
