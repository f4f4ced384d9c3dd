import { useLingui } from "@lingui/react/macro";
import { useNavigate } from "@tanstack/react-router";
import { type RefObject, useCallback, useRef } from "react";
import type { Label } from "../api/types";
import { useShortcut } from "../keyboard/useShortcut";
import { useLabelKeys } from "../labeling/hotkeys";
import type { useBoard } from "./useBoard";

interface Keys {
  project: string;
  board: ReturnType<typeof useBoard>;
  labels: Label[];
  mayEdit: boolean;
  grid: RefObject<HTMLElement | null>;
  /** Place of the tile that keys act on. */
  cursor: number | null;
  setCursor: (place: number) => void;
}

/** Everything on the board by keyboard alone. */
export function useBoardKeys({ project, board, labels, mayEdit, grid, cursor, setCursor }: Keys): void {
  const { t } = useLingui();
  const navigate = useNavigate();
  const { guesses } = board;
  const scope = t`Live guesses`;
  const guess = cursor === null ? undefined : guesses[cursor];
  const image = guess?.image.id;
  const go = (way: number) => {
    if (guesses.length === 0) return false;
    setCursor(cursor === null ? 0 : Math.min(guesses.length - 1, Math.max(0, cursor + way)));
    return true;
  };
  const row = (way: number) => {
    const columns = grid.current ? getComputedStyle(grid.current).gridTemplateColumns.split(" ").length : 1;
    return go(way * columns);
  };
  useShortcut({ id: "live.right", scope, title: t`Next image`, keys: "ArrowRight", run: () => go(1) });
  useShortcut({ id: "live.left", scope, title: t`Previous image`, keys: "ArrowLeft", run: () => go(-1) });
  useShortcut({ id: "live.down", scope, title: t`Row below`, keys: "ArrowDown", run: () => row(1) });
  useShortcut({ id: "live.up", scope, title: t`Row above`, keys: "ArrowUp", run: () => row(-1) });
  useShortcut({
    id: "live.choose",
    scope,
    title: t`Choose the image or take it out`,
    keys: ["Space", "X"],
    disabled: !mayEdit,
    run: () => (guess ? board.toggle(guess) : false),
  });
  useShortcut({
    id: "live.confirm",
    scope,
    title: t`Confirm the chosen guesses`,
    keys: "Enter",
    disabled: !mayEdit,
    run: () => void board.confirm(),
  });
  useShortcut({
    id: "live.open",
    scope,
    title: t`Open the image`,
    keys: "O",
    run: () =>
      image
        ? void navigate({
            to: "/projects/$project/images/$image",
            params: { project, image },
            state: { isOnTop: true },
          })
        : false,
  });
  // The keys of labels stay registered while tiles come and go.
  const correct = useRef<(label: Label) => void>(() => undefined);
  correct.current = (label) => image && board.correct(image, label);
  const give = useCallback((label: Label) => correct.current(label), []);
  useLabelKeys(labels, mayEdit, give);
}
