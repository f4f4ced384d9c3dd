import { useLingui } from "@lingui/react/macro";
import { useElementSize, useMergedRef } from "@mantine/hooks";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { type MouseEvent, useCallback, useMemo, useState } from "react";
import { queryClient } from "../../app/queries";
import { useShortcut } from "../../keyboard/useShortcut";
import { useLabels } from "../../projects/queries";
import { type Filter, type TileSize, tileSizes } from "../filter";
import classes from "../Gallery.module.css";
import { layout, pagesOf, placeOf } from "../geometry";
import { type GridImage, PAGE, pageQuery, useImages } from "../queries";
import { choose, chooseAll, clearSelection, isChosen, toggle, useSelection } from "../selection";
import { useScroll } from "../useScroll";
import { Tile } from "./Tile";

interface Props {
  project: string;
  filter: Filter;
  size: TileSize;
  total: number;
}

const GAP = 6;
const EDGE = 12;
const MOST_IN_RANGE = 5000;

/** Any number of images: only the tiles in view exist, and the scroll bar reaches the last one. */
export function Grid({ project, filter, size, total }: Props) {
  const { t } = useLingui();
  const { ref: sizeRef, width, height: view } = useElementSize<HTMLDivElement>();
  const key = JSON.stringify([project, { ...filter, size: undefined }]);
  const shape = useMemo(
    () => layout(total, Math.max(0, width - 2 * EDGE), tileSizes[size], GAP, globalThis.devicePixelRatio),
    [total, width, size],
  );
  const { ref, onScroll, scrollTo, offset, range, shift } = useScroll(
    key,
    total,
    view,
    shape,
    width > 0 && view > 0,
  );
  const scroller = useMergedRef(ref, sizeRef);
  const imageAt = useImages(project, filter, range, total);
  const { data: labels } = useLabels(project);
  const byId = useMemo(() => new Map(labels?.map((label) => [label.id, label])), [labels]);
  const selection = useSelection();
  const navigate = useNavigate();
  const hrefOf = useHref(project, filter);
  const [cursor, setCursor] = useState<number | null>(null);

  const show = (index: number) => {
    const { y } = placeOf(index, shape);
    if (y < offset()) scrollTo(y);
    else if (y + shape.tile > offset() + view) scrollTo(y + shape.tile - view + GAP);
    setCursor(index);
  };
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
  const open = (image: string | undefined) =>
    image &&
    void navigate({ to: "/projects/$project/images/$image", params: { project, image }, search: filter });
  useShortcut({
    id: "gallery.open",
    scope,
    title: t`Open the image`,
    keys: "Enter",
    run: () => open(cursor === null ? undefined : imageAt(cursor)?.id),
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
  useShortcut({
    id: "gallery.all",
    scope,
    title: t`Choose all images`,
    keys: "Mod+A",
    run: () => chooseAll(filter),
  });

  const onChoose = useCallback(
    (image: GridImage, index: number, isRange: boolean) => {
      const { anchor } = useSelection.getState();
      if (!isRange || anchor === null) return toggle(image.id, index);
      return void chooseRange(project, filter, anchor, index);
    },
    [project, filter],
  );
  // One listener for all tiles, which come and go while one scrolls.
  const onClick = (event: MouseEvent<HTMLDivElement>) => {
    const link = (event.target as Element).closest("a");
    const index = Number(link?.dataset.index);
    const image = link ? imageAt(index) : undefined;
    if (!image || event.button !== 0 || event.altKey) return;
    event.preventDefault();
    if (event.shiftKey || event.ctrlKey || event.metaKey) onChoose(image, index, event.shiftKey);
    else open(image.id);
  };
  const tiles = [];
  for (let index = range.first; index < range.end; index += 1) {
    const { x, y } = placeOf(index, shape);
    const image = imageAt(index);
    tiles.push(
      <Tile
        key={index}
        image={image}
        index={index}
        x={x + EDGE}
        y={y - shift}
        size={shape.tile}
        labels={byId}
        href={image && hrefOf(image.id)}
        isChosen={image !== undefined && isChosen(selection, image.id)}
        isCursor={index === cursor}
        onChoose={onChoose}
      />,
    );
  }
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      onScroll={onScroll}
      data-testid="gallery"
      data-total={total}
      data-first={range.first}
    >
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: links are clicked by Enter too */}
      <div
        className={classes.sheet}
        role="list"
        aria-label={t`Images`}
        style={{ height: shape.scrollHeight }}
        onClick={onClick}
      >
        {tiles}
      </div>
    </div>
  );
}

/** The address of an image with the same filter. The router makes it once: it takes its time for each. */
function useHref(project: string, filter: Filter): (image: string) => string {
  const router = useRouter();
  return useMemo(() => {
    const { href } = router.buildLocation({
      to: "/projects/$project/images/$image",
      params: { project, image: "IMAGE" },
      search: filter,
    });
    return (image) => href.replace("IMAGE", image);
  }, [router, project, filter]);
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
