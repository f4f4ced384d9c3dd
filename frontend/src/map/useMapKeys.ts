import { useLingui } from "@lingui/react/macro";
import { type RefObject, useCallback, useRef } from "react";
import type { Label } from "../api/types";
import { useShortcut } from "../keyboard/useShortcut";
import { useLabelKeys } from "../labeling/hotkeys";
import { towards } from "./geometry";
import type { MapHandle, Tool } from "./parts/MapCanvas";
import type { Points } from "./points";

interface Keys {
  points: Points;
  handle: RefObject<MapHandle | null>;
  cursor: number | null;
  setCursor: (at: number) => void;
  setTool: (tool: Tool) => void;
  labels: Label[];
  /** Whether images are chosen that a label's key may label. */
  mayLabel: boolean;
  open: (at: number) => void;
  toggle: (at: number) => void;
  choose: (found: number[]) => void;
  clear: () => void;
  give: (label: Label) => void;
}

const WAYS = {
  ArrowRight: { x: 1, y: 0 },
  ArrowLeft: { x: -1, y: 0 },
  ArrowDown: { x: 0, y: 1 },
  ArrowUp: { x: 0, y: -1 },
} as const;

/** Everything on the map by keyboard alone: from point to point, and all that is in view in place of a line around it. */
export function useMapKeys(keys: Keys): void {
  const { t } = useLingui();
  const { points, handle, cursor, setCursor } = keys;
  const scope = t({ message: "Map", context: "of images" });
  const go = (way: keyof typeof WAYS) => {
    if (points.count === 0) return false;
    const next = cursor === null || cursor >= points.count ? 0 : towards(points, cursor, WAYS[way]);
    if (next !== null) {
      setCursor(next);
      handle.current?.show(next);
    }
    return true;
  };
  const withCursor = (act: (at: number) => void) => {
    if (cursor === null || cursor >= points.count) return false;
    act(cursor);
    return true;
  };
  const zoom = (factor: number) => {
    handle.current?.zoom(factor);
  };
  useShortcut({
    id: "map.right",
    scope,
    title: t`Point to the right`,
    keys: "ArrowRight",
    run: () => go("ArrowRight"),
  });
  useShortcut({
    id: "map.left",
    scope,
    title: t`Point to the left`,
    keys: "ArrowLeft",
    run: () => go("ArrowLeft"),
  });
  useShortcut({
    id: "map.down",
    scope,
    title: t`Point below`,
    keys: "ArrowDown",
    run: () => go("ArrowDown"),
  });
  useShortcut({ id: "map.up", scope, title: t`Point above`, keys: "ArrowUp", run: () => go("ArrowUp") });
  useShortcut({
    id: "map.toggle",
    scope,
    title: t`Choose the image or take it out`,
    keys: ["Space", "X"],
    run: () => withCursor(keys.toggle),
  });
  useShortcut({
    id: "map.open",
    scope,
    title: t`Open the image`,
    keys: ["Enter", "O"],
    run: () => withCursor(keys.open),
  });
  useShortcut({
    id: "map.view",
    scope,
    title: t`Choose all images in view`,
    keys: "A",
    run: () => keys.choose(handle.current?.shown() ?? []),
  });
  useShortcut({ id: "map.clear", scope, title: t`Choose none`, keys: "Escape", run: keys.clear });
  useShortcut({ id: "map.closer", scope, title: t`Zoom in`, keys: "+", run: () => zoom(1.5) });
  useShortcut({ id: "map.farther", scope, title: t`Zoom out`, keys: "-", run: () => zoom(1 / 1.5) });
  useShortcut({
    id: "map.fit",
    scope,
    title: t`Show the whole map`,
    keys: "Home",
    run: () => handle.current?.fit(),
  });
  useShortcut({
    id: "map.lasso",
    scope,
    title: t`Draw a line around images`,
    keys: "L",
    run: () => keys.setTool("lasso"),
  });
  useShortcut({ id: "map.hand", scope, title: t`Move the map`, keys: "H", run: () => keys.setTool("hand") });
  // The keys of labels stay registered while images are chosen and not.
  const latest = useRef(keys.give);
  latest.current = keys.give;
  const give = useCallback((label: Label) => latest.current(label), []);
  useLabelKeys(keys.labels, keys.mayLabel, give);
}
