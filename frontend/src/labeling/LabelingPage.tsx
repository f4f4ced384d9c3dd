import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Group, Loader, Progress, Switch, Text } from "@mantine/core";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { useFacets } from "../gallery/queries";
import { useShortcut } from "../keyboard/useShortcut";
import { useGuess, useLiveModel } from "../live/queries";
import { useSettled } from "../outbox/outbox";
import { useLabels, useMayEdit, useProject } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { KeyHint } from "../ui/KeyHint";
import classes from "./Labeling.module.css";
import { GuessHint } from "./parts/GuessHint";
import { LabelPad } from "./parts/LabelPad";
import { Previous } from "./parts/Previous";
import { isOpen, useWork } from "./useWork";

/** One image after the other: a key gives its label and the next one is there at once. */
export default function LabelingPage() {
  const { t } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project/label" });
  const search = useSearch({ from: "/shell/projects/$project/label" });
  const filter = useMemo(
    () => (Object.keys(search).length > 0 ? search : { annotated: false, ordering: "id" as const }),
    [search],
  );
  const navigate = useNavigate();
  const { data: own } = useProject(project);
  const { data: labels = [], isFetched } = useLabels(project);
  // Counted once the server has what a tab before this one had left: an undo, say, just before a reload.
  const { data: facets } = useFacets(project, {}, useSettled());
  const mayEdit = useMayEdit(project);
  const { data: live } = useLiveModel(project, own !== undefined && own.task !== "detection");
  const canHelp = (live?.embedded ?? 0) > 0 && Object.keys(search).every((name) => name === "dataset");
  const [isHelpful, setHelpful] = useState(false);
  const work = useWork(project, filter, isHelpful && canHelp);
  const done = useDone(facets?.annotated.yes, work.done);
  const hasGuess = useGuess(project, isOpen(work.current) ? work.current?.id : undefined) !== undefined;
  const isDetection = own?.task === "detection";
  const hasSeveral = own?.task === "multilabel";
  // Boxes are drawn in the annotator, which goes through the same images.
  const firstOpen = work.current?.id;
  const hasLabels = labels.length > 0;
  useEffect(() => {
    if (isDetection && firstOpen && hasLabels)
      void navigate({
        to: "/projects/$project/images/$image",
        params: { project, image: firstOpen },
        search: filter,
        replace: true,
      });
  }, [isDetection, firstOpen, hasLabels, navigate, project, filter]);
  const scope = t`Labelling`;
  useShortcut({
    id: "labeling.skip",
    scope,
    title: t`Skip this image`,
    // Enter accepts the guess, where there is one.
    keys: hasSeveral && !hasGuess ? ["Space", "ArrowRight", "Enter"] : ["Space", "ArrowRight"],
    run: work.skip,
  });
  useShortcut({
    id: "labeling.none",
    scope,
    title: t`None of the labels`,
    keys: "N",
    disabled: !hasSeveral || !mayEdit,
    run: work.none,
  });
  useShortcut({
    id: "labeling.back",
    scope,
    title: t`The image before`,
    keys: ["ArrowLeft", "Backspace"],
    run: work.back,
  });
  if (!hasLabels && own && isFetched)
    return (
      <EmptyState
        icon="palette"
        title={<Trans>First name what to tell apart</Trans>}
        action={
          <Button component={Link} to={`/projects/${project}/labels`}>
            <Trans>Add labels</Trans>
          </Button>
        }
      />
    );
  if (work.isEmpty && work.left > 0)
    return (
      <EmptyState
        icon="tag"
        title={
          <Plural
            value={work.left}
            one="# image was left without a label"
            other="# images were left without a label"
          />
        }
        action={
          <Button onClick={work.again}>
            <Trans>Go through them again</Trans>
          </Button>
        }
      />
    );
  if (work.isEmpty && facets?.total === 0)
    return (
      <EmptyState
        icon="photo-plus"
        title={<Trans>No images yet</Trans>}
        action={
          <Button component={Link} to={`/projects/${project}/import`}>
            <Trans>Add images</Trans>
          </Button>
        }
      />
    );
  if (work.isEmpty)
    return (
      <EmptyState
        icon="circle-check"
        title={<Trans>Every image here is labelled</Trans>}
        action={
          <Button component={Link} to={`/projects/${project}`}>
            <Trans>What next?</Trans>
          </Button>
        }
      >
        <Trans>Drop more images in, or review what is there.</Trans>
      </EmptyState>
    );
  if (!work.current || isDetection)
    return (
      <Center mih="60vh">
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  const total = facets?.total ?? 0;
  return (
    <div className={classes.page}>
      <section
        className={classes.stage}
        aria-label={work.current.filename}
        data-testid="labeling-image"
        data-image={work.current.id}
      >
        <img
          key={work.current.id}
          src={work.pictureOf(work.current)}
          alt={work.current.filename}
          className={classes.image}
        />
        <Previous previous={work.previous} labels={labels} back={work.back} />
      </section>
      <aside className={classes.side}>
        <div>
          {/* Always one line: what lies below would jump when a number gets another digit. */}
          <Group justify="space-between" wrap="nowrap" gap="xs">
            <Text size="sm" fw={600} style={{ whiteSpace: "nowrap" }}>
              <Trans>
                {done} of {total} labelled
              </Trans>
            </Text>
            <Text size="xs" className="quiet" truncate miw={0} title={work.current.filename}>
              {work.current.filename}
            </Text>
          </Group>
          <Progress value={total > 0 ? (100 * done) / total : 0} mt={6} aria-label={t`Labelled`} />
        </div>
        {canHelp && (
          <Switch
            size="sm"
            checked={isHelpful}
            onChange={({ currentTarget }) => setHelpful(currentTarget.checked)}
            label={t`Images that help most first`}
          />
        )}
        <GuessHint
          project={project}
          image={work.current}
          labels={labels}
          hasSeveral={hasSeveral}
          mayEdit={mayEdit}
          accept={hasSeveral ? work.accept : ([label]) => label && work.label(label)}
        />
        <LabelPad
          labels={labels}
          mayEdit={mayEdit}
          chosen={work.current.labels}
          choose={hasSeveral ? work.toggle : work.label}
        />
        {hasSeveral && (
          <Button
            variant="default"
            disabled={!mayEdit}
            onClick={work.none}
            rightSection={<KeyHint>N</KeyHint>}
          >
            <Trans>None of the labels</Trans>
          </Button>
        )}
        <Group>
          <Button
            variant="default"
            size="compact-md"
            onClick={work.back}
            disabled={!work.previous}
            leftSection={<Icon name="arrow-left" size={16} />}
          >
            <Trans>Back</Trans>
          </Button>
          <Button
            variant="default"
            size="compact-md"
            onClick={work.skip}
            rightSection={<Icon name="arrow-right" size={16} />}
          >
            {work.current.labels.length > 0 ? <Trans>Next</Trans> : <Trans>Skip</Trans>}
          </Button>
        </Group>
      </aside>
    </div>
  );
}

/** How many are labelled. The server's counts come after the hand, so what was labelled on this page is added to the first of them. */
function useDone(counted: number | undefined, here: number): number {
  const [first, setFirst] = useState<number>();
  if (first === undefined && counted !== undefined) setFirst(counted - here);
  return Math.max(counted ?? 0, (first ?? 0) + here);
}
