import { Trans, useLingui } from "@lingui/react/macro";
import { Center, Loader, Stack, Title } from "@mantine/core";
import { useParams, useSearch } from "@tanstack/react-router";
import { isInTheWay } from "../api/errors";
import { useLabels, useMayEdit, useProject } from "../projects/queries";
import { ReviewTabs } from "../review/parts/ReviewTabs";
import { Problem } from "../ui/Problem";
import { usePageNavigate } from "../ui/usePageNavigate";
import { labelsWithoutImages } from "./guesses";
import classes from "./Live.module.css";
import { Board } from "./parts/Board";
import { Filters } from "./parts/Filters";
import { Keep } from "./parts/Keep";
import { Standing } from "./parts/Standing";
import { useLiveModel } from "./queries";
import type { LiveSearch } from "./search";

/** What the model that learns meanwhile guesses of images without a label: confirmed many at once, or corrected. */
export default function LivePage() {
  const { t } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project/review/live" });
  const search = useSearch({ from: "/shell/projects/$project/review/live" });
  const navigate = usePageNavigate({ from: "/projects/$project/review/live" });
  const live = useLiveModel(project);
  const { data: labels } = useLabels(project);
  const mayEdit = useMayEdit(project);
  const { data: own } = useProject(project);
  const hasSeveral = own?.task === "multilabel";
  const isComplete = labelsWithoutImages(labels ?? [], live.data ?? { labels: [] }).length === 0;
  const change = (next: Partial<LiveSearch>) =>
    void navigate({ search: (now: LiveSearch) => ({ ...now, ...next }), replace: true, resetScroll: false });
  return (
    <>
      <ReviewTabs project={project} />
      <Stack className={classes.page} gap="sm">
        <Title order={1} size="h3">
          <Trans>Live guesses</Trans>
        </Title>
        {isInTheWay(live.error, live.data) && (
          <Problem error={live.error} retry={() => void live.refetch()} />
        )}
        {!live.data && !live.error && (
          <Center mih="40vh">
            <Loader aria-label={t`Loading`} />
          </Center>
        )}
        {live.data && (
          <Standing project={project} live={live.data} labels={labels ?? []} hasSeveral={hasSeveral} />
        )}
        {live.data && live.data.version > 0 && mayEdit && <Keep project={project} />}
        {live.data && labels && own && live.data.version > 0 && (
          <>
            <Filters
              project={project}
              live={live.data}
              labels={labels}
              hasSeveral={hasSeveral}
              search={search}
              change={change}
            />
            <Board
              key={`${search.order} ${isComplete}`}
              project={project}
              search={search}
              version={live.data.version}
              labels={labels}
              hasSeveral={hasSeveral}
              isComplete={isComplete}
              mayEdit={mayEdit}
              change={change}
            />
          </>
        )}
      </Stack>
    </>
  );
}
