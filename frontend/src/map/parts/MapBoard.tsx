import { plural } from "@lingui/core/macro";
import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Group, Paper, SegmentedControl, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { Label } from "../../api/types";
import { bulk } from "../../gallery/bulk";
import type { Filter } from "../../gallery/filter";
import { SelectionBar } from "../../gallery/parts/SelectionBar";
import { clearSelection, useSelection } from "../../gallery/selection";
import { undo } from "../../history/history";
import { tellDone, tellProblem } from "../../history/tell";
import { Icon } from "../../ui/Icon";
import { indexed, type Place } from "../geometry";
import classes from "../Map.module.css";
import { forms, type Style } from "../paint";
import { countsOf, idOf, indexOf, type Points } from "../points";
import { useMapKeys } from "../useMapKeys";
import { Legend } from "./Legend";
import { MapCanvas, type MapHandle, type Tool } from "./MapCanvas";

/** So many images a request changes at once. */
const MOST = 10_000;
/** Thumbnails of the chosen images that are shown. */
const SHOWN = 24;
const UNLABELLED = "#8a949e";

interface Props {
  project: string;
  points: Points;
  labels: Label[];
  filter: Filter;
  mayLabel: boolean;
  /** Beside the filters, above the map. */
  bar: ReactNode;
  foot: ReactNode;
}

/** The map with its legend, and what is done with the images that are chosen on it. */
export function MapBoard({ project, points, labels, filter, mayLabel, bar, foot }: Props) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const { ids } = useSelection();
  const [tool, setTool] = useState<Tool>("lasso");
  const [only, setOnly] = useState<number | null>(null);
  const [cursor, setCursor] = useState<number | null>(null);
  const [hover, setHover] = useState<{ at: number; place: Place } | null>(null);
  const handle = useRef<MapHandle | null>(null);
  useEffect(() => clearSelection, []);
  const index = useMemo(() => indexed(points), [points]);
  // Where the chosen images are; of other points only when these come again while some are chosen.
  const known = useRef<{ points: Points; places: Map<string, number> }>({ points, places: new Map() });
  const remember = (id: string, at: number) => known.current.places.set(id, at);
  const counts = useMemo(() => countsOf(points), [points]);
  const chosen = useMemo(() => {
    const marks = new Uint8Array(points.count);
    if (known.current.points !== points)
      known.current = { points, places: ids.size > 0 ? indexOf(points) : new Map() };
    for (const id of ids) {
      const at = known.current.places.get(id);
      if (at !== undefined) marks[at] = 1;
    }
    return marks;
  }, [ids, points]);
  const labelled = useMemo(
    () =>
      points.places.reduce((sum, place, at) => sum + (chosen[at] && place < points.labels.length ? 1 : 0), 0),
    [points, chosen],
  );
  const { styles, names } = useMemo(() => {
    const own = points.labels.map((id) => labels.find((label) => label.id === id));
    return {
      names: [...own.map((label) => label?.name ?? ""), t`No label`],
      styles: [...own, undefined].map((label, place): Style => {
        const isLabel = place < own.length;
        const form = isLabel ? (forms[place % forms.length] ?? "disc") : "dot";
        return { form, color: label?.color ?? UNLABELLED, isDimmed: only !== null && only !== place };
      }),
    };
  }, [points, labels, only, t]);

  const choose = (found: readonly number[], isMore = false) => {
    // Dimmed points are not meant.
    const meant = only === null ? found : found.filter((at) => points.places[at] === only);
    const next = new Set(isMore ? ids : []);
    for (const at of meant.slice(0, MOST)) {
      const id = idOf(points, at);
      if (next.size >= MOST) break;
      remember(id, at);
      next.add(id);
    }
    if (next.size === MOST && meant.length > MOST)
      notifications.show({
        color: "yellow",
        message: t`${MOST} of ${meant.length} images are chosen: no more are changed at once.`,
      });
    useSelection.setState({ ids: next, all: null, anchor: null });
  };
  const toggle = (at: number) => {
    const next = new Set(ids);
    const id = idOf(points, at);
    remember(id, at);
    if (!next.delete(id)) next.add(id);
    useSelection.setState({ ids: next, all: null, anchor: null });
  };
  const open = (at: number) =>
    void navigate({
      to: "/projects/$project/images/$image",
      params: { project, image: idOf(points, at) },
      state: { isOnTop: true },
    });
  const give = async (label: Label) => {
    const title = t`Label as ${label.name}`;
    try {
      const answer = await bulk(project, title, { action: "label", images: [...ids], label: label.id });
      const message = <Plural value={answer.changed} one="# image changed." other="# images changed." />;
      tellDone({ title, message, undoWord: t`Undo`, undo: () => undo(project) });
      clearSelection();
    } catch (problem) {
      tellProblem(problem);
    }
  };
  useMapKeys({
    points,
    handle,
    cursor,
    setCursor,
    setTool,
    labels,
    mayLabel: mayLabel && ids.size > 0,
    open,
    toggle,
    choose,
    clear: clearSelection,
    give: (label) => void give(label),
  });
  const pointed = hover?.at ?? null;
  const summary = t`${plural(points.count, { one: "# image", other: "# images" })} on the map, alike ones near each other`;
  return (
    <div className={classes.page}>
      <section className={classes.main} aria-label={t`Map of the images`}>
        <Group className={classes.bar} gap="sm">
          {bar}
          <SegmentedControl
            size="xs"
            aria-label={t`What dragging does`}
            value={tool}
            onChange={(value) => setTool(value as Tool)}
            data={[
              { value: "lasso", label: t`Choose` },
              { value: "hand", label: t`Move` },
            ]}
          />
          <Group gap={4}>
            <ActionIcon variant="default" aria-label={t`Zoom in`} onClick={() => handle.current?.zoom(1.5)}>
              <Icon name="zoom-in" size={16} />
            </ActionIcon>
            <ActionIcon
              variant="default"
              aria-label={t`Zoom out`}
              onClick={() => handle.current?.zoom(1 / 1.5)}
            >
              <Icon name="zoom-out" size={16} />
            </ActionIcon>
            <ActionIcon
              variant="default"
              aria-label={t`Show the whole map`}
              onClick={() => handle.current?.fit()}
            >
              <Icon name="maximize" size={16} />
            </ActionIcon>
          </Group>
        </Group>
        <MapCanvas
          points={points}
          index={index}
          styles={styles}
          chosen={chosen}
          cursor={cursor}
          tool={tool}
          handle={handle}
          label={summary}
          onHover={(at, place) => setHover(at === null ? null : { at, place })}
          onOpen={open}
          onToggle={toggle}
          onLasso={choose}
        />
        {hover && pointed !== null && pointed < points.count && (
          <Tip
            id={idOf(points, pointed)}
            name={names[points.places[pointed] ?? 0] ?? ""}
            place={hover.place}
          />
        )}
        <SelectionBar project={project} filter={filter} total={ids.size} />
      </section>
      <aside className={classes.side}>
        <Stack gap="md">
          <Legend styles={styles} names={names} counts={counts} only={only} choose={setOnly} />
          <Text size="xs" className="quiet">
            <Trans>
              Draw a line around images to choose them; with Shift beside those that are chosen. A click opens
              an image. By keyboard: arrows, Space, Enter, and A for all that is in view.
            </Trans>
          </Text>
          {cursor !== null && cursor < points.count && (
            <div className={classes.strip}>
              <Thumbnail project={project} id={idOf(points, cursor)} />
            </div>
          )}
          {ids.size > 0 && (
            <section aria-label={t`Chosen images`}>
              {labelled > 0 && (
                <Text size="xs" mb={4}>
                  <Plural
                    value={labelled}
                    one="# of the chosen images has a label already."
                    other="# of the chosen images have a label already."
                  />
                </Text>
              )}
              <div className={classes.strip}>
                {[...ids].slice(0, SHOWN).map((id) => (
                  <Thumbnail key={id} project={project} id={id} />
                ))}
              </div>
              {ids.size > SHOWN && (
                <Text size="xs" className="quiet" mt={4}>
                  <Plural value={ids.size - SHOWN} one="and # more" other="and # more" />
                </Text>
              )}
            </section>
          )}
          {foot}
        </Stack>
      </aside>
    </div>
  );
}

const addressOf = (id: string) => `/api/v1/images/${id}/thumbnail/?size=256`;

function Thumbnail({ project, id }: { project: string; id: string }) {
  const { t } = useLingui();
  return (
    <Link
      to="/projects/$project/images/$image"
      params={{ project, image: id }}
      state={{ isOnTop: true }}
      aria-label={t`Open the image`}
    >
      <img src={addressOf(id)} alt="" loading="lazy" />
    </Link>
  );
}

/** The image under the pointer, beside it. */
function Tip({ id, name, place }: { id: string; name: string; place: Place }) {
  const isRight = place.x > 200;
  return (
    <Paper
      className={`panel ${classes.tip}`}
      shadow="md"
      style={{ left: isRight ? place.x - 164 : place.x + 16, top: Math.max(8, place.y - 60) }}
    >
      <img src={addressOf(id)} alt="" />
      <Text size="xs" mt={4} truncate>
        {name}
      </Text>
    </Paper>
  );
}
