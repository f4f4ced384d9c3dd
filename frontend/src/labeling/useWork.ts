import { useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { noteRevision, remember, save, subjectOf, whenMoved } from "../annotator/changes";
import { type Mark, ownId } from "../annotator/store";
import { api, send } from "../api/client";
import type { Label } from "../api/types";
import { type Filter, toQuery } from "../gallery/filter";
import type { GridImage } from "../gallery/queries";
import { isWaiting, revisionLeft, useOutbox } from "../outbox/outbox";

const BATCH = 60;
const AHEAD = 5;

/** Few at a time: what is labelled changes which image helps most. */
const HELPFUL = 20;

/** An image with what was done to it here: `isNone` says that it has none of the labels. */
type Worked = GridImage & { isNone?: boolean; marks?: Mark[] };

/** Whether nobody has said anything of the image: it has no label, and none is an answer too. */
export const isOpen = (image: Worked | undefined) => image !== undefined && !isLabelled(image);

const isLabelled = ({ labels, isNone }: Worked) => labels.length > 0 || isNone === true;

const markOf = (label: string): Mark => ({
  id: ownId(),
  label,
  box: null,
  confirmed: true,
  origin: "human",
  score: null,
});

interface Batch {
  results: GridImage[];
  isMore: boolean;
}

/** The next images of a list. */
async function listed(project: string, filter: Filter, offset: number): Promise<Batch> {
  const query = toQuery(project, filter);
  query.set("fields", "grid");
  query.set("page_size", String(BATCH));
  query.set("offset", String(offset));
  const { results } = await send<{ results: GridImage[] }>("GET", `/api/v1/images/?${query}`);
  return { results, isMore: results.length === BATCH };
}

/** The images whose labels teach the live model most; behind the last of them the list. */
async function helpful(project: string, filter: Filter): Promise<Batch> {
  const { data = [] } = await api.GET("/api/v1/projects/{project_id}/live-model/next/", {
    params: { path: { project_id: project }, query: { limit: HELPFUL, dataset: filter.dataset } },
  });
  if (data.length === HELPFUL) return { results: data, isMore: true };
  const rest = await listed(project, filter, 0);
  return { ...rest, results: [...data, ...rest.results] };
}

/**
 * The images to label, in order: loaded ahead of the hand, with what was done before.
 *
 * @param isHelpful - Those whose labels help most come first, instead of the order of the filter.
 */
export function useWork(project: string, filter: Filter, isHelpful = false) {
  const { t } = useLingui();
  const [queue, setQueue] = useState<Worked[]>([]);
  const [at, setAt] = useState(0);
  const done = useRef(new Map<string, string>());
  /** Which were labelled when they came here: what the server's first count says of them. */
  const atFirst = useRef(new Map<string, boolean>());
  const cursor = useRef(0);
  const key = toQuery(project, filter).toString();
  const [asked, setAsked] = useState(0);
  const isReady = useOutbox((state) => state.isReady);
  const { data, isFetched } = useQuery({
    queryKey: ["labeling", key, asked, isHelpful],
    queryFn: () => (isHelpful ? helpful(project, filter) : listed(project, filter, cursor.current)),
    // What a closed tab had labelled is in the outbox by then, and not shown as if nobody had.
    enabled: isReady,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  // In another order: what has not been shown yet comes again, in that one.
  const [wasHelpful, setWasHelpful] = useState(isHelpful);
  if (wasHelpful !== isHelpful) {
    setWasHelpful(isHelpful);
    setQueue(queue.slice(0, at));
    cursor.current = 0;
  }
  useEffect(() => {
    if (!data) return;
    for (const { id, labels } of data.results)
      if (!atFirst.current.has(id)) atFirst.current.set(id, labels.length > 0);
    setQueue((now) => {
      const known = new Set(now.map(({ id }) => id));
      // Also where the studio was asked before it had a label that it has by now.
      const isOpen = ({ id, revision }: GridImage) =>
        !known.has(id) && !isWaiting(subjectOf(id)) && revision >= revisionLeft(subjectOf(id));
      return [...now, ...data.results.filter(isOpen)];
    });
  }, [data]);
  // Labelled images leave the filter, so what was skipped is all that lies before the next batch.
  const isShort = queue.length - at < AHEAD * 2;
  const isMore = data?.isMore ?? false;
  useEffect(() => {
    if (!isShort || !isMore) return;
    cursor.current = queue.length - done.current.size;
    setAsked((now) => now + 1);
  }, [isShort, isMore, queue.length]);
  useEffect(() => {
    for (const image of queue.slice(at, at + AHEAD + 1)) new Image().src = pictureOf(image);
  }, [queue, at]);
  // An undo shows its image again, with what it carries now: a slip is put right at once.
  useEffect(
    () =>
      whenMoved(({ image: id, filename, marks }) => {
        const labels = marks.map(({ label }) => label);
        const show = (images: Worked[]) => {
          setAt(
            Math.max(
              0,
              images.findIndex((image) => image.id === id),
            ),
          );
          return images.map((image) =>
            image.id === id ? { ...image, labels, marks, isNone: false } : image,
          );
        };
        if (labels.length === 0) done.current.delete(id);
        if (queue.some((image) => image.id === id)) setQueue(show(queue));
        // It was labelled before a reload, so it is not among those that were left to label.
        else
          void gridImage(project, id, filename).then((image) => {
            atFirst.current.set(id, labels.length === 0);
            if (image) setQueue(show([...queue.slice(0, at), image, ...queue.slice(at)]));
          });
      }),
    [queue, at, project],
  );
  const current = queue[at];
  // Two keys may come before the page is drawn again: the second counts on what the first has done.
  const latest = useRef(queue);
  latest.current = queue;
  const keep = useCallback(
    (image: Worked, labels: string[], title: string) => {
      noteRevision(image.id, image.revision);
      const payload = { project, image: image.id, filename: image.filename };
      const before = image.marks ?? image.labels.map(markOf);
      // What stays is the same mark, so that one label alone can be taken back.
      const marks = labels.map((id) => before.find(({ label }) => label === id) ?? markOf(id));
      remember(payload, title, before, marks);
      void save({ ...payload, marks }, title);
      done.current.set(image.id, labels[0] ?? "");
      const isNone = labels.length === 0;
      const kept = (images: Worked[]) =>
        images.map((one) => (one.id === image.id ? { ...one, labels, marks, isNone } : one));
      latest.current = kept(latest.current);
      setQueue(kept);
    },
    [project],
  );
  /** Where an image has none to many labels: gives it one, or takes it away. It stays the one to label. */
  const toggle = useCallback(
    (chosen: Label) => {
      const image = latest.current[at];
      if (!image) return;
      const has = image.labels.includes(chosen.id);
      const others = image.labels.filter((id) => id !== chosen.id);
      if (has) keep(image, others, t`Remove ${chosen.name}`);
      else keep(image, [...others, chosen.id], t`Label ${chosen.name}`);
    },
    [at, keep, t],
  );
  /** Says that the image has none of the labels. */
  const none = useCallback(() => {
    const image = queue[at];
    if (!image) return;
    keep(image, [], t`None of the labels`);
    setAt((now) => now + 1);
  }, [queue, at, keep, t]);
  /** Where an image has none to many labels: gives it all of these, and goes on. */
  const accept = useCallback(
    (chosen: Label[]) => {
      const image = queue[at];
      if (!image) return;
      const names = chosen.map(({ name }) => name).join(", ");
      const ids = chosen.map(({ id }) => id);
      keep(image, ids, names ? t`Label ${names}` : t`None of the labels`);
      setAt((now) => now + 1);
    },
    [queue, at, keep, t],
  );
  const label = useCallback(
    (chosen: Label) => {
      const image = queue[at];
      if (!image) return;
      keep(image, [chosen.id], t`Label ${chosen.name}`);
      setAt((now) => now + 1);
    },
    [queue, at, keep, t],
  );
  return {
    current,
    previous: queue[at - 1],
    isEmpty: isFetched && data !== undefined && at >= queue.length && !data.isMore,
    /** How many more are labelled than when they came here, and how many were passed by without a label. */
    done: queue.reduce(
      (sum, image) => sum + Number(isLabelled(image)) - Number(atFirst.current.get(image.id) ?? false),
      0,
    ),
    left: queue.filter((image) => !isLabelled(image)).length,
    again: useCallback(() => {
      const labelled = queue.filter(isLabelled);
      setQueue([...labelled, ...queue.filter((image) => !isLabelled(image))]);
      setAt(labelled.length);
    }, [queue]),
    label,
    toggle,
    accept,
    none,
    skip: useCallback(() => setAt((now) => Math.min(now + 1, queue.length)), [queue.length]),
    back: useCallback(() => setAt((now) => Math.max(0, now - 1)), []),
    pictureOf,
  };
}

async function gridImage(project: string, id: string, filename: string): Promise<GridImage | undefined> {
  const query = new URLSearchParams({ project, fields: "grid", filename });
  const { results } = await send<{ results: GridImage[] }>("GET", `/api/v1/images/?${query}`);
  return results.find((image) => image.id === id);
}

function pictureOf(image: GridImage): string {
  const version = new URLSearchParams(image.thumbnail.split("?")[1]).get("v") ?? "";
  return `/api/v1/images/${image.id}/rendition/?max=1024&v=${version}`;
}
