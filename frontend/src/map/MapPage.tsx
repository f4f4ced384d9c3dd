import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Drawer, Loader, Progress, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { RunningWork } from "../activity/RunningWork";
import { useRunning } from "../activity/useRunning";
import { isInTheWay } from "../api/errors";
import { useSession } from "../api/session";
import { type Filter, isFiltered } from "../gallery/filter";
import { FacetPanel } from "../gallery/parts/FacetPanel";
import { useLabels, useMayEdit, useProject } from "../projects/queries";
import { ReviewTabs } from "../review/parts/ReviewTabs";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { usePageNavigate } from "../ui/usePageNavigate";
import { MapBoard } from "./parts/MapBoard";
import { type FeatureMap, makeMap, refreshMap, useMap, usePoints } from "./queries";

/** All images at once: alike ones lie near each other, and what lies together is labelled together. */
export default function MapPage() {
  const { t } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project/review/map" });
  const filter = useSearch({ from: "/shell/projects/$project/review/map" });
  const navigate = usePageNavigate({ from: "/projects/$project/review/map" });
  const map = useMap(project);
  const running = useRunning(project, "feature_map", () => void refreshMap(project));
  const { data: labels } = useLabels(project);
  const { data: own } = useProject(project);
  const mayEdit = useMayEdit(project);
  const version = map.data?.code === "" ? `${map.data.made_at} ${map.data.mapped}` : undefined;
  const { points, error, refetch } = usePoints(project, filter, version);
  const [isOpen, panel] = useDisclosure(false);
  const progress = running && <RunningWork entry={running} title={t`The map is being laid out.`} />;
  const change = (next: Partial<Filter>) =>
    void navigate({ search: (now: Filter) => ({ ...now, ...next }), replace: true, resetScroll: false });
  const foot = (
    <Stack gap="xs">
      {map.data && <Standing map={map.data} />}
      {progress}
      {mayEdit && <Make project={project} isBusy={running !== undefined} isAgain />}
    </Stack>
  );
  return (
    <>
      <ReviewTabs project={project} />
      {version === undefined ? (
        <Page>
          <Stack>
            <Title order={1} size="h3">
              <Trans context="of images">Map</Trans>
            </Title>
            {isInTheWay(map.error, map.data) && (
              <Problem error={map.error} retry={() => void map.refetch()} />
            )}
            {!map.data && !map.error && <Waiting />}
            {progress}
            {map.data && !running && (
              <NotYet project={project} map={map.data}>
                {mayEdit ? (
                  <Make project={project} isBusy={false} />
                ) : (
                  <Trans>You may look at this project. Its editors make the map.</Trans>
                )}
              </NotYet>
            )}
          </Stack>
        </Page>
      ) : (
        <>
          <h1 className="visually-hidden">
            <Trans context="of images">Map</Trans>
          </h1>
          <Problem error={error} retry={() => void refetch()} />
          {!points && !error && <Waiting />}
          {points && labels && (
            <MapBoard
              project={project}
              points={points}
              labels={labels}
              filter={filter}
              mayLabel={mayEdit && own?.task === "classification"}
              bar={
                <>
                  <Button
                    size="compact-sm"
                    variant={isFiltered(filter) ? "light" : "default"}
                    leftSection={<Icon name="filter" size={15} />}
                    onClick={panel.open}
                  >
                    <Trans>Filters</Trans>
                  </Button>
                  <Text size="sm" fw={600} aria-live="polite">
                    <Plural value={points.count} one="# image" other="# images" />
                  </Text>
                </>
              }
              foot={foot}
            />
          )}
          <Drawer
            opened={isOpen}
            onClose={panel.close}
            title={t`Filters`}
            size="xs"
            closeButtonProps={{ "aria-label": t`Close` }}
          >
            <FacetPanel
              project={project}
              filter={filter}
              change={change}
              show={(next) => void navigate({ search: next, resetScroll: false })}
            />
          </Drawer>
        </>
      )}
    </>
  );
}

function Waiting() {
  const { t } = useLingui();
  return (
    <Center mih="40vh">
      <Loader aria-label={t`Loading`} />
    </Center>
  );
}

/** What of the map is older than its images. */
function Standing({ map }: { map: FeatureMap }) {
  const missing = map.images - map.mapped;
  return (
    <Text size="xs" className="quiet">
      {map.placed_later > 0 && (
        <Plural
          value={map.placed_later}
          one="# image came later and was placed beside those that it is like."
          other="# images came later and were placed beside those that they are like."
        />
      )}{" "}
      {missing > 0 && (
        <Plural
          value={missing}
          one="# image is not on the map yet: it is still being compared."
          other="# images are not on the map yet: they are still being compared."
        />
      )}
    </Text>
  );
}

function Make({ project, isBusy, isAgain }: { project: string; isBusy: boolean; isAgain?: boolean }) {
  const [error, setError] = useState<unknown>(null);
  const make = () => {
    setError(null);
    void makeMap(project).catch(setError);
  };
  return (
    <>
      <Button variant={isAgain ? "default" : "filled"} disabled={isBusy} onClick={make}>
        {isAgain ? <Trans>Make the map again</Trans> : <Trans>Make the map</Trans>}
      </Button>
      <Problem error={error} />
    </>
  );
}

/** Why there is no map, and what to do about it. */
function NotYet({ project, map, children }: { project: string; map: FeatureMap; children: ReactNode }) {
  const { t } = useLingui();
  const isStaff = useSession()?.user?.is_staff ?? false;
  const { code, images, embedded } = map;
  if (code === "not_made")
    return (
      <EmptyState icon="select-all" title={<Trans>See all images at once</Trans>} action={children}>
        <Trans>
          Alike images lie near each other on the map. Draw a line around some and label them all, or find
          what lies apart.
        </Trans>
      </EmptyState>
    );
  if (code === "no_embedder")
    return (
      <EmptyState
        icon="select-all"
        title={<Trans>Nothing here can compare images yet</Trans>}
        action={
          <Button component={Link} to={isStaff ? "/system/storage" : `/projects/${project}/trainings/new`}>
            {isStaff ? <Trans>To the pretrained weights</Trans> : <Trans>Train a model</Trans>}
          </Button>
        }
      >
        <Trans>
          It takes pretrained weights, which administrators add under System, Storage, or a first trained
          model of the project.
        </Trans>
      </EmptyState>
    );
  if (code === "embedding")
    return (
      <EmptyState icon="select-all" title={<Trans>The images are being compared with each other</Trans>}>
        <Trans>
          Compares images: {embedded} of {images}
        </Trans>
        <Progress value={(100 * embedded) / Math.max(1, images)} mt="xs" aria-label={t`Images compared`} />
      </EmptyState>
    );
  return (
    <EmptyState
      icon="photo-plus"
      title={<Trans>A map needs at least ten images</Trans>}
      action={
        <Button component={Link} to={`/projects/${project}/import`}>
          <Trans>Add images</Trans>
        </Button>
      }
    />
  );
}
