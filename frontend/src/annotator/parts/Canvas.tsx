import { useLingui } from "@lingui/react/macro";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import type { Box, Label } from "../../api/types";
import { useShortcut } from "../../keyboard/useShortcut";
import classes from "../Annotator.module.css";
import { fitted, type Handle, handles, type Point, placeOfHandle, type Size } from "../geometry";
import { Gestures } from "../gestures";
import { annotator, type BoxMark, draftBox, type Mark } from "../store";

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
  useListeners(area, gestures);
  const size = useStore(annotator, (state) => state.size);
  const brightness = useStore(annotator, (state) => state.brightness);
  const contrast = useStore(annotator, (state) => state.contrast);
  const scope = t`Annotator`;
  useShortcut({ id: "annotator.fit", scope, title: t`Show the whole image`, keys: "F", run: () => fit(area.current) });
  useShortcut({ id: "annotator.in", scope, title: t`Zoom in`, keys: ["+", "="], run: () => zoomBy(area.current, 1.4) });
  useShortcut({ id: "annotator.out", scope, title: t`Zoom out`, keys: "-", run: () => zoomBy(area.current, 1 / 1.4) });
  return (
    <div ref={area} className={classes.area} data-testid="annotator-area">
      <div ref={stage} className={classes.stage} style={{ width: size.width, height: size.height }}>
        <img
          key={source}
          src={source}
          alt={alt}
          className={classes.image}
          draggable={false}
          style={{ filter: brightness === 100 && contrast === 100 ? undefined : `brightness(${brightness}%) contrast(${contrast}%)` }}
        />
        <svg className={classes.layer} viewBox={`0 0 ${size.width} ${size.height}`} aria-hidden>
          <Boxes labels={labels} />
          <Selected labels={labels} />
          <DraftShape labels={labels} />
        </svg>
      </div>
      <Names labels={labels} />
      <Guides />
    </div>
  );
}

function fit(area: HTMLElement | null): void {
  if (!area) return;
  annotator.setState(({ size }) => ({ view: fitted(size, { width: area.clientWidth, height: area.clientHeight }) }));
}

function zoomBy(area: HTMLElement | null, factor: number): void {
  if (!area) return;
  const middle = { x: area.clientWidth / 2, y: area.clientHeight / 2 };
  annotator.setState(({ view }) => ({
    view: {
      scale: view.scale * factor,
      x: middle.x - (middle.x - view.x) * factor,
      y: middle.y - (middle.y - view.y) * factor,
    },
  }));
}

/** The view is a transform of one element, so zooming and panning never render a box again. */
function usePainting(stage: React.RefObject<HTMLDivElement | null>): void {
  useEffect(() => {
    const paint = ({ view }: { view: { x: number; y: number; scale: number } }) => {
      const element = stage.current;
      if (!element) return;
      element.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
      element.style.setProperty("--zoom", String(view.scale));
    };
    paint(annotator.getState());
    return annotator.subscribe((state, before) => {
      if (state.view !== before.view) paint(state);
    });
  }, [stage]);
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

function Boxes({ labels }: { labels: ReadonlyMap<string, Label> }) {
  const marks = useStore(annotator, (state) => state.marks);
  const hidesAll = useStore(annotator, (state) => state.hidesAll);
  const selected = useStore(annotator, (state) => state.selected);
  if (hidesAll) return null;
  return marks.map((mark) =>
    mark.box && !mark.isHidden && mark.id !== selected ? (
      <Rectangle key={mark.id} box={mark.box} color={labels.get(mark.label)?.color ?? "#ffffff"} isSure={mark.confirmed} />
    ) : null,
  );
}

const Rectangle = memo(function Rectangle({ box, color, isSure }: { box: Box; color: string; isSure: boolean }) {
  const [left, top, right, bottom] = box;
  const shape = { x: left, y: top, width: right - left, height: bottom - top, vectorEffect: "non-scaling-stroke" } as const;
  return (
    <>
      <rect {...shape} className={classes.outline} />
      <rect {...shape} className={classes.box} stroke={color} fill={color} strokeDasharray={isSure ? undefined : "6 4"} />
    </>
  );
});

function Selected({ labels }: { labels: ReadonlyMap<string, Label> }) {
  const mark = useStore(annotator, (state) => state.marks.find(({ id }) => id === state.selected));
  const hidesAll = useStore(annotator, (state) => state.hidesAll);
  const scale = useStore(annotator, (state) => state.view.scale);
  if (!mark?.box || mark.isHidden || hidesAll) return null;
  const box = mark.box;
  const side = 9 / scale;
  return (
    <g data-selected={mark.id}>
      <Rectangle box={box} color={labels.get(mark.label)?.color ?? "#ffffff"} isSure={mark.confirmed} />
      {!mark.isLocked &&
        handles.map((handle) => {
          const { x, y } = placeOfHandle(box, handle);
          return (
            <g key={handle}>
              <rect data-handle={handle} x={x - side * 1.3} y={y - side * 1.3} width={side * 2.6} height={side * 2.6} className={classes.grip} style={{ cursor: `${handle}-resize` }} />
              <rect x={x - side / 2} y={y - side / 2} width={side} height={side} className={classes.handle} strokeWidth={1.5 / scale} />
            </g>
          );
        })}
    </g>
  );
}

/** Painted by the store's changes, not by renders: pointerup must never see an older box than the screen. */
function DraftShape({ labels }: { labels: ReadonlyMap<string, Label> }) {
  const rect = useRef<SVGRectElement>(null);
  const label = useStore(annotator, (state) => state.label);
  useEffect(
    () =>
      annotator.subscribe(({ draft, size }) => {
        const element = rect.current;
        if (!element) return;
        element.style.display = draft ? "" : "none";
        if (!draft) return;
        const [left, top, right, bottom] = draftBox(draft, size);
        element.setAttribute("x", String(left));
        element.setAttribute("y", String(top));
        element.setAttribute("width", String(right - left));
        element.setAttribute("height", String(bottom - top));
      }),
    [],
  );
  return <rect ref={rect} className={classes.draft} style={{ display: "none" }} stroke={(label && labels.get(label)?.color) || "#ffffff"} vectorEffect="non-scaling-stroke" />;
}

const MOST_NAMES = 80;

/** Names beside the boxes, in the screen's size whatever the zoom. */
function Names({ labels }: { labels: ReadonlyMap<string, Label> }) {
  const marks = useStore(annotator, (state) => state.marks);
  const view = useStore(annotator, (state) => state.view);
  const hidesAll = useStore(annotator, (state) => state.hidesAll);
  const shown = marks.filter((mark): mark is BoxMark => mark.box !== null && !mark.isHidden);
  if (hidesAll || shown.length > MOST_NAMES) return null;
  return shown.map((mark) => (
    <span
      key={mark.id}
      className={classes.name}
      style={{ transform: `translate(${mark.box[0] * view.scale + view.x}px, ${mark.box[1] * view.scale + view.y}px) translateY(-100%)` }}
    >
      <span className={classes.dot} style={{ background: labels.get(mark.label)?.color }} />
      {nameOf(mark, labels)}
    </span>
  ));
}

export function nameOf(mark: Mark, labels: ReadonlyMap<string, Label>): string {
  const name = labels.get(mark.label)?.name ?? "?";
  if (mark.confirmed) return name;
  return mark.score === null ? `${name}?` : `${name}? ${Math.round(100 * mark.score)} %`;
}

/** Two lines through the pointer, to begin a box exactly at a corner. */
function Guides() {
  const across = useRef<HTMLDivElement>(null);
  const along = useRef<HTMLDivElement>(null);
  const isOn = useStore(annotator, (state) => state.crosshair && state.tool === "draw");
  const [isHere, setIsHere] = useState(false);
  useEffect(
    () =>
      annotator.subscribe(({ pointer, view }) => {
        setIsHere(pointer !== null);
        if (!pointer || !across.current || !along.current) return;
        const place: Point = { x: pointer.x * view.scale + view.x, y: pointer.y * view.scale + view.y };
        across.current.style.transform = `translateY(${place.y}px)`;
        along.current.style.transform = `translateX(${place.x}px)`;
      }),
    [],
  );
  if (!isOn) return null;
  const style = { display: isHere ? undefined : "none" };
  return (
    <>
      <div ref={across} className={classes.across} style={style} />
      <div ref={along} className={classes.along} style={style} />
    </>
  );
}

export function screenOf(): Size {
  const area = document.querySelector(`[data-testid="annotator-area"]`);
  return { width: area?.clientWidth ?? 800, height: area?.clientHeight ?? 600 };
}
