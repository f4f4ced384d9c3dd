import { useLingui } from "@lingui/react/macro";
import { useElementSize } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { queryClient } from "../../app/queries";
import { useShortcut } from "../../keyboard/useShortcut";
import { useLabels } from "../../projects/queries";
import { type Filter, type TileSize, tileSizes } from "../filter";
import classes from "../Gallery.module.css";
import { layout, pagesOf, placeOf, type Range, scrolled, toScroll, visible } from "../geometry";
import { type GridImage, PAGE, pageQuery } from "../queries";
import { choose, clearSelection, isChosen, toggle, useSelection } from "../selection";
import { Tile } from "./Tile";

interface Props {
  project: string;
  filter: Filter;
  size: TileSize;
  total: number;
  imageAt: (index: number) => GridImage | undefined;
  onRange: (range: Range) => void;
}

const GAP = 6;
const MOST_IN_RANGE = 5000;
const places = new Map<string, number>();

/** Any number of images: only the tiles in view exist, and the scroll bar reaches the last one. */
export function Grid({ project, filter, size, total, imageAt, onRange }: Props) {
  const { t } = useLingui();
  const { ref: sizeRef, width, height: view } = useElementSize<HTMLDivElement>();
  const scroller = useRef<HTMLDivElement | null>(null);
  const before = useRef(0);
  const key = JSON.stringify([project, { ...filter, size: undefined }]);
  const [offset, setOffset] = useState(places.get(key) ?? 0);
  const shape = useMemo(
    () => layout(total, Math.max(0, width - 24), tileSizes[size], GAP, globalThis.devicePixelRatio),
    [total, width, size],
  );
  const range = useMemo(() => visible(offset, view, total, shape), [offset, view, total, shape]);
  const { data: labels } = useLabels(project);
  const byId = useMemo(() => new Map(labels?.map((label) => [label.id, label])), [labels]);
  const selection = useSelection();
  const navigate = useNavigate();
  const [cursor, setCursor] = useState<number | null>(null);

  useEffect(() => onRange({ first: range.first, end: range.end }), [onRange, range.first, range.end]);
  useEffect(() => void places.set(key, offset), [key, offset]);

  const scrollTo = useCallback(
    (next: number) => {
      const element = scroller.current;
      if (!element) return;
      const top = toScroll(next, view, shape);
      before.current = top;
      element.scrollTop = top;
      setOffset(next);
    },
    [view, shape],
  );
  // Back from an image, or to a place that the address before had: the same images again.
  const isReady = width > 0 && view > 0;
  useEffect(() => {
    if (isReady) scrollTo(Math.min(places.get(key) ?? 0, Math.max(0, shape.height - view)));
  }, [isReady, key]);

  const onScroll = () => {
    const top = scroller.current?.scrollTop ?? 0;
    if (Math.abs(top - before.current) < 1) return;
    setOffset(scrolled(before, top, view, shape));
  };
  const show = useCallback(
    (index: number) => {
      const { y } = placeOf(index, shape);
      if (y < offset) scrollTo(y);
      else if (y + shape.tile > offset + view) scrollTo(y + shape.tile - view + GAP);
      setCursor(index);
    },
    [offset, view, shape, scrollTo],
  );
  const scope = t`Gallery`;
  const step = (id: string, keys: string, title: string, way: number) =>
    ({
      id,
      scope,
      title,
      keys,
      run: () => show(Math.min(total - 1, Math.max(0, (cursor ?? range.first) + way))),
    }) as const;
  useShortcut(step("gallery.right", "ArrowRight", t`Next image`, 1));
  useShortcut(step("gallery.left", "ArrowLeft", t`Previous image`, -1));
  useShortcut(step("gallery.down", "ArrowDown", t`Row below`, shape.columns));
  useShortcut(step("gallery.up", "ArrowUp", t`Row above`, -shape.columns));
  useShortcut({ id: "gallery.home", scope, title: t`First image`, keys: "Home", run: () => show(0) });
  useShortcut({ id: "gallery.end", scope, title: t`Last image`, keys: "End", run: () => show(total - 1) });
  const open = (image: GridImage | undefined) =>
    image &&
    void navigate({
      to: "/projects/$project/images/$image",
      params: { project, image: image.id },
      search: filter,
    });
  useShortcut({
    id: "gallery.open",
    scope,
    title: t`Open the image`,
    keys: "Enter",
    run: () => open(cursor === null ? undefined : imageAt(cursor)),
  });
  useShortcut({
    id: "gallery.choose",
    scope,
    title: t`Choose the image`,
    keys: ["Space", "X"],
    run: () => {
      const image = cursor === null ? undefined : imageAt(cursor);
      if (image && cursor !== null) toggle(image.id, cursor);
    },
  });
  useShortcut({ id: "gallery.none", scope, title: t`Choose nothing`, keys: "Escape", run: clearSelection });

  const onChoose = useCallback(
    (image: GridImage, index: number, isRange: boolean) => {
      const { anchor } = useSelection.getState();
      if (!isRange || anchor === null) return toggle(image.id, index);
      return void chooseRange(project, filter, anchor, index);
    },
    [project, filter],
  );
  const tiles = [];
  for (let index = range.first; index < range.end; index += 1) {
    const { x, y } = placeOf(index, shape);
    const image = imageAt(index);
    tiles.push(
      <Tile
        key={index}
        image={image}
        index={index}
        x={x + 12}
        y={y - offset}
        size={shape.tile}
        labels={byId}
        project={project}
        filter={filter}
        isChosen={image !== undefined && isChosen(selection, image.id)}
        isCursor={index === cursor}
        onChoose={onChoose}
      />,
    );
  }
  return (
    <div
      ref={(element) => {
        scroller.current = element;
        sizeRef(element);
      }}
      className={classes.scroller}
      onScroll={onScroll}
      data-testid="gallery"
      data-total={total}
      data-first={range.first}
    >
      <div className={classes.sheet} role="list" aria-label={t`Images`}>
        {tiles}
      </div>
      <div style={{ height: shape.scrollHeight }} />
    </div>
  );
}

/** Chooses everything between two places, loading what is not here yet. */
async function chooseRange(project: string, filter: Filter, anchor: number, index: number): Promise<void> {
  const first = Math.min(anchor, index);
  const end = Math.min(Math.max(anchor, index) + 1, first + MOST_IN_RANGE);
  const ids: string[] = [];
  for (const page of pagesOf({ first, end }, PAGE)) {
    const { results } = await queryClient.ensureQueryData(pageQuery(project, filter, page));
    ids.push(...results.slice(Math.max(0, first - page * PAGE), end - page * PAGE).map(({ id }) => id));
  }
  choose(ids, index);
}
