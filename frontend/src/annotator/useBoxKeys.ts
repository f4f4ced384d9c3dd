import { useLingui } from "@lingui/react/macro";
import { useStore } from "zustand";
import type { Box, Label } from "../api/types";
import { useShortcut } from "../keyboard/useShortcut";
import { useLabelKeys } from "../labeling/hotkeys";
import { boxOf, fitted, isLargeEnough, type Size, toImage, type View } from "./geometry";
import { screenOf } from "./parts/Canvas";
import { type AnnotatorState, annotator } from "./store";
import type { Actions } from "./useAnnotator";

/** The keys of the annotator that need a box or a label. */
export function useBoxKeys(
  actions: Actions,
  labels: readonly Label[],
  mayEdit: boolean,
  isDetection: boolean,
): void {
  const { t } = useLingui();
  const scope = t`Annotator`;
  const hasSelected = useStore(annotator, (state) => state.selected !== null);
  const selected = () => annotator.getState().selected;
  const needsBox = !mayEdit || !hasSelected;
  useLabelKeys(labels, mayEdit, (label) => {
    const id = selected();
    if (!isDetection) actions.classify(label.id);
    else if (id) actions.relabel(id, label.id);
    annotator.setState({ label: label.id });
  });
  useShortcut({
    id: "annotator.delete",
    scope,
    title: t`Remove the box`,
    keys: ["Delete", "Backspace"],
    disabled: needsBox,
    run: () => actions.remove(selected() ?? ""),
  });
  useShortcut({
    id: "annotator.add",
    scope,
    title: t`New box in the middle`,
    keys: "A",
    disabled: !mayEdit || !isDetection,
    run: () => actions.add(middleBox(annotator.getState(), screenOf())),
  });
  useShortcut({
    id: "annotator.cycle",
    scope,
    title: t`Next box`,
    keys: "Tab",
    disabled: !isDetection,
    run: () => cycle(1),
  });
  useShortcut({
    id: "annotator.back",
    scope,
    title: t`Previous box`,
    keys: "Shift+Tab",
    disabled: !isDetection,
    run: () => cycle(-1),
    hidden: true,
  });
  useShortcut({
    id: "annotator.hide",
    scope,
    title: t`Hide or show all boxes`,
    keys: "H",
    disabled: !isDetection,
    run: () => annotator.setState(({ hidesAll }) => ({ hidesAll: !hidesAll })),
  });
  useShortcut({
    id: "annotator.crosshair",
    scope,
    title: t`Lines through the pointer`,
    keys: "G",
    disabled: !isDetection,
    run: () => annotator.setState(({ crosshair }) => ({ crosshair: !crosshair })),
  });
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as const;
  const key = (prefix: string, name: keyof typeof steps, id: string, title: string, act: () => void) => ({
    id: `annotator.${id}.${name}`,
    scope,
    title,
    keys: `${prefix}${name}`,
    disabled: needsBox,
    hidden: name !== "ArrowLeft",
    run: act,
  });
  const by = (name: keyof typeof steps, length: number) => ({
    x: steps[name][0] * length,
    y: steps[name][1] * length,
  });
  for (const name of Object.keys(steps) as (keyof typeof steps)[]) {
    // The order of these hooks never changes.
    useShortcut(
      key("", name, "nudge", t`Move the box by a pixel (arrows)`, () => actions.nudge(by(name, 1))),
    );
    useShortcut(
      key("Shift+", name, "push", t`Move the box by ten pixels`, () => actions.nudge(by(name, 10))),
    );
    useShortcut(
      key("Alt+", name, "grow", t`Make the box larger or smaller`, () => actions.grow(by(name, 1))),
    );
  }
}

/** The image whose boxes Tab has passed: there it goes through the buttons of the page, as everywhere else. */
let passed = "";

/** Chooses the box before or after. Says no where there is none: the key then does what it does on every page. */
export function cycle(way: 1 | -1): boolean {
  const { image, marks, selected } = annotator.getState();
  const boxes = marks.filter(({ box, isHidden }) => box && !isHidden);
  const at = boxes.findIndex(({ id }) => id === selected);
  if (at < 0 && passed === image) return false;
  const next = at < 0 && way < 0 ? boxes.at(-1) : boxes[at + way];
  annotator.setState({ selected: next?.id ?? null });
  passed = next ? "" : image;
  return next !== undefined;
}

/** A third of what is seen of the image, in its middle, to be moved and sized by keys; of the whole image where none of it is seen there. */
export function middleBox({ size, view }: Pick<AnnotatorState, "size" | "view">, screen: Size): Box {
  const third = (of: View) => {
    const corner = toImage({ x: screen.width / 3, y: screen.height / 3 }, of);
    const opposite = toImage({ x: (2 * screen.width) / 3, y: (2 * screen.height) / 3 }, of);
    return boxOf(corner, opposite, size);
  };
  const box = third(view);
  return isLargeEnough(box) ? box : third(fitted(size, screen));
}
