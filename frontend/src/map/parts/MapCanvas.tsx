import { useLingui } from "@lingui/react/macro";
import { useComputedColorScheme } from "@mantine/core";
import {
  type PointerEvent,
  type RefObject,
  useCallback,
  useEffect,
  useImperativeHandle,
  useRef,
  useState,
} from "react";
import {
  fitted,
  type Index,
  inView,
  type Place,
  panned,
  type Size,
  toMap,
  toScreen,
  type View,
  within,
  zoomed,
} from "../geometry";
import classes from "../Map.module.css";
import { paint, type Style } from "../paint";
import type { Points } from "../points";

export type Tool = "lasso" | "hand";

/** What keys do with the view. */
export interface MapHandle {
  zoom: (factor: number) => void;
  fit: () => void;
  /** The points that are in view. */
  shown: () => number[];
  /** Brings a point into view. */
  show: (at: number) => void;
}

interface Props {
  points: Points;
  index: Index;
  styles: readonly Style[];
  chosen: Uint8Array;
  cursor: number | null;
  tool: Tool;
  handle: RefObject<MapHandle | null>;
  label: string;
  onHover: (at: number | null, place: Place) => void;
  onOpen: (at: number) => void;
  onToggle: (at: number) => void;
  /** `isMore`: they are chosen beside those that are chosen already. */
  onLasso: (found: number[], isMore: boolean) => void;
}

/** Pixels of the screen within which a point is meant, and up to which a press is no drag. */
const NEAR = 9;
const STILL = 4;
const FIRST_SIZE = { width: 600, height: 400 };

/** The points, painted at once; a pointer draws a line around some, moves the map, or opens an image. */
export function MapCanvas(props: Props) {
  const { t } = useLingui();
  const { points, index, handle } = props;
  const scheme = useComputedColorScheme("light");
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>(FIRST_SIZE);
  const view = useRef<View>(fitted(FIRST_SIZE));
  const moved = useRef(false);
  const line = useRef<Place[]>([]);
  const pixels = useRef<ImageData | null>(null);
  const due = useRef(0);
  const pressed = useRef(new Map<number, Place>());
  const start = useRef<{ at: Place; isMore: boolean; isHand: boolean } | null>(null);
  const latest = useRef(props);
  latest.current = props;

  const draw = useCallback(() => {
    due.current = 0;
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || !frame.current) return;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.max(1, Math.round(size.width * ratio));
    const height = Math.max(1, Math.round(size.height * ratio));
    if (element.width !== width || element.height !== height)
      [element.width, element.height] = [width, height];
    if (pixels.current?.width !== width || pixels.current.height !== height)
      pixels.current = context.createImageData(width, height);
    const selected = getComputedStyle(frame.current).getPropertyValue("--map-selected").trim();
    const scene = { ...latest.current, view: view.current, size, ratio, selected };
    paint(scene, new Uint32Array(pixels.current.data.buffer), width, height);
    context.putImageData(pixels.current, 0, 0);
    if (line.current.length > 1) {
      context.beginPath();
      for (const { x, y } of line.current) context.lineTo(x * ratio, y * ratio);
      context.closePath();
      context.lineWidth = 2 * ratio;
      context.strokeStyle = selected;
      context.fillStyle = `${selected}22`;
      context.fill();
      context.stroke();
    }
  }, [size]);
  const repaint = useCallback(() => {
    if (!due.current) due.current = requestAnimationFrame(draw);
  }, [draw]);

  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => {
      const next = { width: element.clientWidth, height: element.clientHeight };
      if (!moved.current) view.current = fitted(next);
      setSize(next);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(repaint, [repaint, scheme, points, props.styles, props.chosen, props.cursor]);
  useEffect(
    () => () => {
      cancelAnimationFrame(due.current);
      due.current = 0;
    },
    [],
  );

  const look = useCallback(
    (next: View) => {
      view.current = next;
      moved.current = true;
      repaint();
    },
    [repaint],
  );
  useImperativeHandle(
    handle,
    () => ({
      zoom: (factor) => look(zoomed(view.current, factor, { x: size.width / 2, y: size.height / 2 }, size)),
      fit: () => {
        look(fitted(size));
        moved.current = false;
      },
      shown: () => inView(points, view.current, size),
      show: (at) => {
        const place = toScreen(view.current, { x: points.x[at] ?? 0, y: points.y[at] ?? 0 });
        const isIn = place.x > 20 && place.y > 20 && place.x < size.width - 20 && place.y < size.height - 20;
        if (!isIn) look(panned(view.current, size.width / 2 - place.x, size.height / 2 - place.y));
      },
    }),
    [look, points, size],
  );
  // React listens to wheels passively, so that the page would scroll as well.
  useEffect(() => {
    const element = frame.current;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top } = (event.currentTarget as HTMLElement).getBoundingClientRect();
      const at = { x: event.clientX - left, y: event.clientY - top };
      look(zoomed(view.current, Math.exp(-event.deltaY / 400), at, size));
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, [look, size]);

  const placeOf = (event: PointerEvent<HTMLElement>): Place => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const pointAt = (at: Place) => index.nearest(toMap(view.current, at), NEAR / view.current.scale);
  const onDown = (event: PointerEvent<HTMLElement>) => {
    const at = placeOf(event);
    event.currentTarget.setPointerCapture(event.pointerId);
    pressed.current.set(event.pointerId, at);
    // A second finger makes a pinch of it.
    line.current = [];
    const isHand = props.tool === "hand" || event.button === 1 || pressed.current.size > 1;
    start.current = { at, isHand, isMore: event.shiftKey || event.ctrlKey || event.metaKey };
    props.onHover(null, at);
    repaint();
  };
  const onMove = (event: PointerEvent<HTMLElement>) => {
    const at = placeOf(event);
    const before = pressed.current.get(event.pointerId);
    if (!before) {
      props.onHover(pointAt(at), at);
      return;
    }
    pressed.current.set(event.pointerId, at);
    const others = [...pressed.current].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    const [other] = others;
    if (other) {
      const distance = (place: Place) => Math.hypot(place.x - other.x, place.y - other.y);
      look(zoomed(view.current, distance(at) / Math.max(1, distance(before)), other, size));
    } else if (start.current?.isHand) look(panned(view.current, at.x - before.x, at.y - before.y));
    else {
      const last = line.current.at(-1);
      if (!last || Math.hypot(at.x - last.x, at.y - last.y) >= 3) line.current.push(at);
      repaint();
    }
  };
  const onUp = (event: PointerEvent<HTMLElement>) => {
    const at = placeOf(event);
    const from = start.current;
    const wasPinch = pressed.current.size > 1;
    pressed.current.delete(event.pointerId);
    const drawn = line.current;
    line.current = [];
    repaint();
    if (!from || wasPinch || event.type === "pointercancel") return;
    start.current = null;
    if (Math.hypot(at.x - from.at.x, at.y - from.at.y) <= STILL && drawn.length < 4) {
      const point = pointAt(at);
      if (point === null) return;
      if (from.isMore) props.onToggle(point);
      else props.onOpen(point);
    } else if (!from.isHand)
      props.onLasso(
        within(
          points,
          drawn.map((place) => toMap(view.current, place)),
        ),
        from.isMore,
      );
  };
  return (
    <div
      ref={frame}
      className={classes.frame}
      data-tool={props.tool}
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={onUp}
      onPointerLeave={(event) => props.onHover(null, placeOf(event))}
    >
      <canvas ref={canvas} className={classes.canvas} role="img" aria-label={props.label} data-testid="map">
        {t`Map of the images`}
      </canvas>
    </div>
  );
}
