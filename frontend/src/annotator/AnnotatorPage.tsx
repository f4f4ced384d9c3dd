import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Button, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useRef } from "react";
import { useStore } from "zustand";
import { asStudioError, isInTheWay } from "../api/errors";
import { NothingHere } from "../app/ErrorPage";
import { queryClient } from "../app/queries";
import type { Filter } from "../gallery/filter";
import { neighboursQuery } from "../gallery/queries";
import { useShortcut } from "../keyboard/useShortcut";
import { useLabels, useMayEdit, useProject } from "../projects/queries";
import { Icon } from "../ui/Icon";
import { Problem } from "../ui/Problem";
import classes from "./Annotator.module.css";
import { waitingMarks, whenMoved } from "./changes";
import { Canvas } from "./parts/Canvas";
import { Panel } from "./parts/Panel";
import { Labelled, Place } from "./parts/Place";
import { Tool } from "./parts/Tool";
import { imageQuery, pictureOf } from "./queries";
import { annotator, marksOf, ownId } from "./store";
import { useActions, useLoadedImage, useShownGuesses } from "./useAnnotator";
import { useBoxKeys } from "./useBoxKeys";
import { useWalk } from "./useWalk";

export default function AnnotatorPage() {
  const { t } = useLingui();
  const { project, image: id } = useParams({ from: "/shell/projects/$project/images/$image" });
  const filter = useSearch({ from: "/shell/projects/$project/images/$image" });
  const navigate = useNavigate();
  const { data: own } = useProject(project);
  const mayEdit = useMayEdit(project);
  const { data: labels = [] } = useLabels(project);
  const { data: image, error, refetch } = useQuery(imageQuery(project, id));
  const { data: around } = useQuery(neighboursQuery(project, id, filter));
  const byId = useMemo(() => new Map(labels.map((label) => [label.id, label])), [labels]);
  const actions = useActions(project, image, labels, own?.task === "multilabel");
  useLoadedImage(project, image);
  useShownGuesses(project, image, labels);
  useEffect(() => prefetch(project, filter, around?.next, around?.previous), [project, filter, around]);
  const tool = useStore(annotator, (state) => state.tool);
  const isDetection = own?.task === "detection";
  const go = (to: string) =>
    void navigate({
      to: "/projects/$project/images/$image",
      params: { project, image: to },
      search: filter,
      replace: true,
      state: true,
    });
  // An image that was just labelled is not among those without a label any more, and yet it is the one before.
  const cameFrom = useRef(new Map<string, string>());
  const previous = cameFrom.current.get(id) ?? around?.previous;
  const isLabelling = isDetection && filter.annotated === false;
  const walk = useWalk(
    id,
    async (from, way) => {
      if (way === "previous" && cameFrom.current.has(from)) return cameFrom.current.get(from);
      const beside = await queryClient.ensureQueryData(neighboursQuery(project, from, filter));
      if (way === "next" && beside.next) cameFrom.current.set(beside.next, from);
      // After the last one the page of labelling says what is left, or that all is done.
      if (way === "next" && !beside.next && isLabelling)
        void navigate({ to: "/projects/$project/label", params: { project } });
      return beside[way];
    },
    go,
  );
  // An undo shows the image that it concerns.
  useEffect(() => whenMoved(({ image: moved }) => void (moved !== id && go(moved))));
  const router = useRouter();
  const { isOnTop } = useLocation({ select: ({ state }) => state });
  const close = () => {
    if (isOnTop) router.history.back();
    else void navigate({ to: "/projects/$project/images", params: { project }, search: filter });
  };
  const scope = t`Annotator`;
  useShortcut({
    id: "annotator.next",
    scope,
    title: t`Next image`,
    keys: ["N", "PageDown", "ArrowRight"],
    run: () => walk("next"),
  });
  useShortcut({
    id: "annotator.previous",
    scope,
    title: t`Previous image`,
    keys: ["P", "PageUp", "ArrowLeft"],
    run: () => walk("previous"),
  });
  useShortcut({
    id: "annotator.accept",
    scope,
    title: t`Accept the suggestions and go on`,
    keys: "Enter",
    run: () => {
      // A second press before the next image is there says nothing about its suggestions.
      if (annotator.getState().image !== id) return;
      if (mayEdit) actions.acceptAll();
      walk("next");
    },
  });
  useShortcut({
    id: "annotator.close",
    scope,
    title: t`Back to the images`,
    keys: "Escape",
    run: () => (annotator.getState().selected ? annotator.setState({ selected: null }) : close()),
  });
  useShortcut({
    id: "annotator.copy",
    scope,
    title: t`Copy the annotations of the previous image`,
    keys: "C",
    disabled: !mayEdit,
    run: () => void copyPrevious(),
  });
  const copyPrevious = async () => {
    if (!previous) return;
    const read = async () => (await queryClient.ensureQueryData(imageQuery(project, previous))).annotations;
    const copies = (waitingMarks(previous) ?? marksOf(await read())).map((mark) => ({
      ...mark,
      id: ownId(),
      confirmed: true,
      origin: "human" as const,
      score: null,
    }));
    if (copies.length > 0)
      actions.replaceAll(t`Copied annotations`, [...annotator.getState().marks, ...copies]);
  };
  useBoxKeys(actions, labels, mayEdit, isDetection ?? false);
  if (error && asStudioError(error).status === 404)
    return (
      <NothingHere>
        <Button component={Link} to={`/projects/${project}/images`}>
          <Trans>To the images</Trans>
        </Button>
      </NothingHere>
    );
  if (isInTheWay(error, image)) return <Problem error={error} retry={() => void refetch()} />;
  return (
    <div className={classes.page}>
      <section className={classes.work} aria-label={t`Image`}>
        <Group className={classes.bar} px="xs" gap={4} justify="space-between" wrap="nowrap">
          <Group gap={4} wrap="nowrap" miw={0}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              onClick={close}
              aria-label={t`Back to the images`}
            >
              <Icon name="arrow-left" />
            </ActionIcon>
            <Text size="sm" truncate title={image?.filename}>
              {image?.filename}
            </Text>
            {isLabelling ? <Labelled project={project} /> : <Place around={around} />}
          </Group>
          <Group gap={4} wrap="nowrap">
            {isDetection && mayEdit && (
              <>
                <Tool
                  icon="square"
                  title={t`Draw boxes`}
                  keys="B"
                  isOn={tool === "draw"}
                  act={() => annotator.setState({ tool: "draw" })}
                />
                <Tool
                  icon="pointer"
                  title={t`Select boxes`}
                  keys="V"
                  isOn={tool === "select"}
                  act={() => annotator.setState({ tool: "select" })}
                />
              </>
            )}
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              disabled={!previous}
              onClick={() => walk("previous")}
              aria-label={t`Previous image`}
            >
              <Icon name="chevron-left" />
            </ActionIcon>
            <Button
              size="compact-md"
              disabled={!around?.next && !isLabelling}
              onClick={() => walk("next")}
              rightSection={<Icon name="chevron-right" />}
            >
              <Trans>Next</Trans>
            </Button>
          </Group>
        </Group>
        {image && (
          <Canvas
            source={pictureOf(image)}
            alt={image.filename}
            labels={byId}
            mayEdit={mayEdit && (isDetection ?? false)}
            commitNew={actions.add}
            commitChange={actions.reshape}
          />
        )}
      </section>
      <Panel
        project={project}
        image={image}
        labels={labels}
        actions={actions}
        mayEdit={mayEdit}
        isDetection={isDetection ?? false}
      />
    </div>
  );
}

function prefetch(project: string, filter: Filter, ...ids: (string | null | undefined)[]): void {
  for (const id of ids) {
    if (!id) continue;
    void queryClient.prefetchQuery(neighboursQuery(project, id, filter));
    void queryClient.ensureQueryData(imageQuery(project, id)).then((image) => {
      new Image().src = pictureOf(image);
    });
  }
}
