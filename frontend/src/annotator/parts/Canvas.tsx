import { useLingui } from "@lingui/react/macro";
import { useEffect, useMemo, useRef } from "react";
import { useStore } from "zustand";
import type { Box, Label } from "../../api/types";
import { useShortcut } from "../../keyboard/useShortcut";
import classes from "../Annotator.module.css";
import { fitted, type Handle, resized, type Size, zoomedInMiddle } from "../geometry";
import { Gestures } from "../gestures";
import { type AnnotatorState, annotator } from "../store";
import { BoxLayer } from "./BoxLayer";
import { Guides, Names } from "./Overlays";

interface Props {
  source: string;
  alt: string;
  labels: ReadonlyMap<string, Label>;
  mayEdit: boolean;
  commitNew: (box: Box) => void;
  commitChange: (id: string, box: Box) => void;
}

/** The image with its boxes. Pointer and view are painted from the store, outside of React's renders. */
export function Canvas({ source, alt, labels, mayEdit, commitNew, commitChange }: Props) {
  const { t } = useLingui();
  const area = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const hooks = useRef({ mayEdit, commitNew, commitChange });
  hooks.current = { mayEdit, commitNew, commitChange };
  const gestures = useMemo(() => {
    const rect = () => area.current?.getBoundingClientRect() ?? new DOMRect();
    return new Gestures(annotator, {
      screen: () => ({ width: rect().width, height: rect().height }),
      place: (event) => ({ x: event.clientX - rect().left, y: event.clientY - rect().top }),
      mayEdit: () => hooks.current.mayEdit,
      commitNew: (box) => hooks.current.commitNew(box),
      commitChange: (id, box) => hooks.current.commitChange(id, box),
    });
  }, []);
  usePainting(stage);
  useScreenSize(area);
  useListeners(area, gestures);
  const size = useStore(annotator, (state) => state.size);
  const brightness = useStore(annotator, (state) => state.brightness);
  const contrast = useStore(annotator, (state) => state.contrast);
  const scope = t`Annotator`;
  useShortcut({
    id: "annotator.fit",
    scope,
    title: t`Show the whole image`,
    keys: "F",
    run: () => fit(area.current),
  });
  useShortcut({
    id: "annotator.in",
    scope,
    title: t`Zoom in`,
    keys: ["+", "="],
    run: () => zoomBy(area.current, 1.4),
  });
  useShortcut({
    id: "annotator.out",
    scope,
    title: t`Zoom out`,
    keys: "-",
    run: () => zoomBy(area.current, 1 / 1.4),
  });
  return (
    <div ref={area} className={classes.area} data-testid="annotator-area">
      <div ref={stage} className={classes.stage} style={{ width: size.width, height: size.height }}>
        <img
          key={source}
          src={source}
          alt={alt}
          className={classes.image}
          draggable={false}
          style={{
            filter:
              brightness === 100 && contrast === 100
                ? undefined
                : `brightness(${brightness}%) contrast(${contrast}%)`,
          }}
        />
        <BoxLayer labels={labels} size={size} />
      </div>
      <Names labels={labels} />
      <Guides />
    </div>
  );
}

function fit(area: HTMLElement | null): void {
  if (!area) return;
  annotator.setState(({ size }) => ({
    view: fitted(size, { width: area.clientWidth, height: area.clientHeight }),
  }));
}

function zoomBy(area: HTMLElement | null, factor: number): void {
  if (!area) return;
  const screen = { width: area.clientWidth, height: area.clientHeight };
  annotator.setState(({ view, size }) => ({ view: zoomedInMiddle(view, factor, size, screen) }));
}

/** Milliseconds since the last change of the zoom. */
const AT_REST = 200;
/** With more boxes than this, a zoom in steps is slow where the lines of all are made as thin at each. */
const MANY = 200;

/**
 * The view is a transform of one element, so zooming and panning never render a box again. A layer of the browser keeps the
 * pixels that it was painted with, which makes panning cheap and a closer view blurred: while the zoom changes there is none. Of
 * many boxes the layer stays, and is painted sharp when the zoom is at rest.
 */
function usePainting(stage: React.RefObject<HTMLDivElement | null>): void {
  useEffect(() => {
    let rest: ReturnType<typeof setTimeout> | undefined;
    const sharpen = (element: HTMLElement) => {
      element.style.setProperty("--zoom", String(annotator.getState().view.scale));
      element.setAttribute("data-sharpening", "");
      rest = setTimeout(() => element.removeAttribute("data-sharpening"), AT_REST);
    };
    const paint = ({ view, marks }: AnnotatorState, before?: AnnotatorState) => {
      const element = stage.current;
      if (!element) return;
      element.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
      if (view.scale === before?.view.scale) return;
      clearTimeout(rest);
      if (before && marks.length > MANY) {
        element.removeAttribute("data-sharpening");
        rest = setTimeout(() => sharpen(element), AT_REST);
      } else sharpen(element);
    };
    paint(annotator.getState());
    const unsubscribe = annotator.subscribe((state, before) => {
      if (state.view !== before.view) paint(state, before);
    });
    return () => {
      clearTimeout(rest);
      unsubscribe();
    };
  }, [stage]);
}

/** A window that is made smaller, a tablet that is turned, a bar that opens below: the image stays in view. */
function useScreenSize(area: React.RefObject<HTMLDivElement | null>): void {
  useEffect(() => {
    const element = area.current;
    if (!element) return undefined;
    let before = { width: element.clientWidth, height: element.clientHeight };
    const observer = new ResizeObserver(() => {
      const after = { width: element.clientWidth, height: element.clientHeight };
      const from = before;
      before = after;
      if (after.width === from.width && after.height === from.height) return;
      annotator.setState(({ view, size }) => ({ view: resized(view, size, from, after) }));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [area]);
}

function useListeners(area: React.RefObject<HTMLDivElement | null>, gestures: Gestures): void {
  useEffect(() => {
    const element = area.current;
    if (!element) return undefined;
    const down = (event: PointerEvent) => {
      const handle = (event.target as Element).getAttribute?.("data-handle") as Handle | null;
      // Not every pointer can be captured: one that a script made cannot.
      try {
        element.setPointerCapture(event.pointerId);
      } catch {}
      gestures.down(event, handle);
    };
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      gestures.wheel(event);
    };
    const key = (event: KeyboardEvent) => {
      if (event.key === " ") gestures.isSpaceDown = event.type === "keydown";
      if (event.key === "Escape" && event.type === "keydown" && annotator.getState().draft) {
        event.preventDefault();
        gestures.cancel();
      }
    };
    const move = (event: PointerEvent) => gestures.move(event);
    const up = (event: PointerEvent) => gestures.up(event);
    const leave = (event: PointerEvent) => gestures.leave(event);
    const cancel = () => gestures.cancel();
    element.addEventListener("pointerdown", down);
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", cancel);
    element.addEventListener("pointerleave", leave);
    element.addEventListener("wheel", wheel, { passive: false });
    window.addEventListener("keydown", key, true);
    window.addEventListener("keyup", key, true);
    return () => {
      element.removeEventListener("pointerdown", down);
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", up);
      element.removeEventListener("pointercancel", cancel);
      element.removeEventListener("pointerleave", leave);
      element.removeEventListener("wheel", wheel);
      window.removeEventListener("keydown", key, true);
      window.removeEventListener("keyup", key, true);
    };
  }, [area, gestures]);
}

export function screenOf(): Size {
  const area = document.querySelector(`[data-testid="annotator-area"]`);
  return { width: area?.clientWidth ?? 800, height: area?.clientHeight ?? 600 };
}
