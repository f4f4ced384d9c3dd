import { useLingui } from "@lingui/react/macro";
import { notifications } from "@mantine/notifications";
import { useEffect } from "react";
import { onStudioEvent } from "../api/events";
import type { Box, Label, StudioImage } from "../api/types";
import { queryClient } from "../app/queries";
import { useBoxGuesses } from "../live/queries";
import { revisionLeft, useOutbox } from "../outbox/outbox";
import { change, noteRevision, subjectOf, waitingMarks } from "./changes";
import { carried, fitted, moveBox } from "./geometry";
import { screenOf } from "./parts/Canvas";
import { imageQuery } from "./queries";
import { annotator, asShown, type Mark, marksOf, ownId } from "./store";

/** Puts an image into the annotator, and keeps it fresh while another person works on it too. */
export function useLoadedImage(project: string, image: StudioImage | undefined): void {
  const subject = subjectOf(image?.id ?? "");
  const isPending = useOutbox(({ queue }) => queue.some((command) => command.subject === subject));
  useEffect(() => {
    if (!image) return;
    const { size: before, view, image: last } = annotator.getState();
    const size = { width: image.width, height: image.height };
    const isSame = last === image.id;
    // What is still on its way to the server is newer than what the server says.
    const waiting = waitingMarks(image.id);
    if (isSame && waiting) return;
    // Read before one's own last change: a change on top of this would take that one back.
    if (!waiting && image.revision < revisionLeft(subject)) {
      if (!isSame) void queryClient.invalidateQueries(imageQuery(project, image.id));
      return;
    }
    noteRevision(image.id, image.revision);
    annotator.setState({
      image: image.id,
      size,
      marks: waiting ?? marksOf(image.annotations),
      ...(isSame
        ? {}
        : {
            selected: null,
            draft: null,
            view: last ? carried(view, before, size, screenOf()) : fitted(size, screenOf()),
          }),
    });
  }, [project, image, isPending, subject]);
  useEffect(
    () =>
      onStudioEvent((event) => {
        if (event.kind !== "annotations" || !image) return;
        if (event.images.some(({ id }) => id === image.id))
          void queryClient.invalidateQueries(imageQuery(project, image.id));
      }),
    [project, image],
  );
}

/** Lets the live model say what the suggestions of an image show. */
export function useShownGuesses(
  project: string,
  image: StudioImage | undefined,
  labels: readonly Label[],
): void {
  const hasSuggestions = image?.annotations.some(({ box, confirmed }) => box !== null && !confirmed) ?? false;
  const { data } = useBoxGuesses(project, image?.id ?? "", hasSuggestions);
  useEffect(() => {
    const known = new Set(labels.map(({ id }) => id));
    const rows = (data ?? []).filter(({ label }) => known.has(label));
    annotator.setState({ guesses: new Map(rows.map(({ annotation, ...guess }) => [annotation, guess])) });
  }, [data, labels]);
}

/** What one can do to the annotations of an image. Each is one step of undo. */
export function useActions(
  project: string,
  image: StudioImage | undefined,
  labels: readonly Label[],
  hasSeveral = false,
) {
  const { t } = useLingui();
  const state = () => annotator.getState();
  const commit = (title: string, marks: Mark[], merges?: string) => {
    // On the way to an image the one before is still in the store: a quick key would change that.
    if (image && state().image === image.id) change(project, image.filename, title, marks, merges);
  };
  const edit = (id: string, title: string, next: (mark: Mark) => Mark, merges?: string) =>
    commit(
      title,
      state().marks.map((mark) => (mark.id === id ? next(mark) : mark)),
      merges,
    );
  const accepted = (mark: Mark): Mark => ({
    ...asShown(mark, state().guesses),
    score: mark.score,
    confirmed: true,
  });
  const nameOf = (id: string) => labels.find((label) => label.id === id)?.name ?? "";
  return {
    add: (box: Box) => {
      const label = state().label ?? labels[0]?.id;
      if (!label) {
        notifications.show({ message: t`First name what to tell apart` });
        return;
      }
      const mark: Mark = { id: ownId(), label, box, confirmed: true, origin: "human", score: null };
      commit(t`Box ${nameOf(label)}`, [...state().marks, mark]);
      annotator.setState({ selected: mark.id });
    },
    reshape: (id: string, box: Box) =>
      edit(id, t`Change of a box`, (mark) => ({ ...mark, box, confirmed: true })),
    remove: (id: string) => {
      const marks = state().marks.filter((mark) => mark.id !== id);
      commit(t`Removed annotation`, marks);
      annotator.setState({ selected: null });
    },
    relabel: (id: string, label: string) =>
      edit(id, t`Label ${nameOf(label)}`, (mark) => ({ ...mark, label, confirmed: true })),
    accept: (id: string) => edit(id, t`Accepted suggestion`, accepted),
    acceptAll: () => {
      const { marks } = state();
      if (marks.some(({ confirmed }) => !confirmed)) commit(t`Accepted suggestions`, marks.map(accepted));
    },
    nudge: (by: { x: number; y: number }) => {
      const { selected, marks, size } = state();
      const mark = marks.find(({ id }) => id === selected);
      if (!mark?.box) return;
      const box = moveBox(mark.box, by, size);
      edit(mark.id, t`Change of a box`, (old) => ({ ...old, box, confirmed: true }), `move ${mark.id}`);
    },
    grow: (by: { x: number; y: number }) => {
      const { selected, marks, size } = state();
      const mark = marks.find(({ id }) => id === selected);
      if (!mark?.box) return;
      const [left, top, right, bottom] = mark.box;
      const next: Box = [
        left,
        top,
        Math.min(size.width, Math.max(left + 1, right + by.x)),
        Math.min(size.height, Math.max(top + 1, bottom + by.y)),
      ];
      edit(mark.id, t`Change of a box`, (old) => ({ ...old, box: next, confirmed: true }), `size ${mark.id}`);
    },
    /** The one label of the image; where it has none to many, one of them is given or taken away. */
    classify: (label: string) => {
      const { marks } = state();
      const own = hasSeveral ? marks.find((mark) => mark.label === label) : undefined;
      if (own?.confirmed)
        return commit(
          t`Removed annotation`,
          marks.filter(({ id }) => id !== own.id),
        );
      if (own) return edit(own.id, t`Accepted suggestion`, accepted);
      const mark: Mark = { id: ownId(), label, box: null, confirmed: true, origin: "human", score: null };
      return commit(t`Label ${nameOf(label)}`, hasSeveral ? [...marks, mark] : [mark]);
    },
    replaceAll: (title: string, marks: Mark[]) => commit(title, marks),
  };
}

export type Actions = ReturnType<typeof useActions>;
