import type { Box } from "../api/types";
import {
  boxAt,
  type Handle,
  isLargeEnough,
  moveBox,
  type Point,
  resizeBox,
  type Size,
  snapped,
  toImage,
  zoomed,
} from "./geometry";
import { type AnnotatorStore, type BoxMark, draftBox, type Mark } from "./store";

type Gesture =
  | { kind: "draw"; moved: boolean }
  | { kind: "pan"; from: Point; x: number; y: number }
  | { kind: "move"; mark: BoxMark; from: Point }
  | { kind: "resize"; mark: BoxMark; handle: Handle };

export interface Hooks {
  /** The size of the drawing area on the screen. */
  screen: () => Size;
  /** A pointer's place within it. */
  place: (event: PointerEvent | WheelEvent) => Point;
  commitNew: (box: Box) => void;
  commitChange: (id: string, box: Box) => void;
  mayEdit: () => boolean;
}

const CLICK = 4;
const EDGE = 6;

/** Turns pointers into boxes: drag or two clicks draw, the wheel and two fingers zoom, Space or the middle button pans. A finger pans
 * once a pencil was seen. Everything it changes is in the store. */
export class Gestures {
  private gesture: Gesture | null = null;
  private start: Point = { x: 0, y: 0 };
  private readonly touches = new Map<number, Point>();
  private sawPen = false;
  isSpaceDown = false;

  constructor(
    private readonly store: AnnotatorStore,
    private readonly hooks: Hooks,
  ) {}

  down(event: PointerEvent, handle: Handle | null): void {
    const screen = this.hooks.place(event);
    this.sawPen ||= event.pointerType === "pen";
    if (event.pointerType === "touch") this.touches.set(event.pointerId, screen);
    if (this.touches.size === 2) {
      this.cancel();
      return;
    }
    const state = this.store.getState();
    const fingerPans = event.pointerType === "touch" && this.sawPen;
    if (event.button === 1 || this.isSpaceDown || fingerPans || !this.hooks.mayEdit()) {
      this.gesture = { kind: "pan", from: screen, x: state.view.x, y: state.view.y };
      return;
    }
    if (event.button !== 0) return;
    this.start = screen;
    const point = toImage(screen, state.view);
    const selected = state.marks.find(({ id }) => id === state.selected);
    if (handle && selected?.box && !selected.isLocked) {
      this.gesture = { kind: "resize", mark: selected as BoxMark, handle };
      return;
    }
    if (state.draft?.isTwoClicks) return;
    if (state.tool === "select") {
      const found = boxAt(boxes(state.marks), point, EDGE / state.view.scale);
      this.store.setState({ selected: found?.id ?? null });
      this.gesture =
        found && !found.isLocked
          ? { kind: "move", mark: found, from: point }
          : { kind: "pan", from: screen, x: state.view.x, y: state.view.y };
      return;
    }
    this.gesture = { kind: "draw", moved: false };
    this.store.setState({ draft: { from: point, to: point, isTwoClicks: false }, selected: null });
  }

  move(event: PointerEvent): void {
    const screen = this.hooks.place(event);
    const state = this.store.getState();
    if (this.touches.has(event.pointerId)) {
      if (this.touches.size === 2) {
        this.pinch(event.pointerId, screen);
        return;
      }
      this.touches.set(event.pointerId, screen);
    }
    const point = toImage(screen, state.view);
    if (this.gesture?.kind === "pan") {
      const { from, x, y } = this.gesture;
      this.store.setState({ view: { ...state.view, x: x + screen.x - from.x, y: y + screen.y - from.y } });
      return;
    }
    if (this.gesture?.kind === "draw") {
      this.gesture.moved ||= Math.hypot(screen.x - this.start.x, screen.y - this.start.y) > CLICK;
    }
    if (this.gesture?.kind === "move" || this.gesture?.kind === "resize") {
      this.store.setState({ marks: replaced(state.marks, this.gesture.mark.id, this.shaped(point)) });
    }
    this.store.setState({ pointer: point, draft: state.draft ? { ...state.draft, to: point } : null });
  }

  up(event: PointerEvent): void {
    this.touches.delete(event.pointerId);
    const state = this.store.getState();
    const { gesture } = this;
    this.gesture = null;
    const point = toImage(this.hooks.place(event), state.view);
    if (gesture?.kind === "move" || gesture?.kind === "resize") {
      this.gesture = gesture;
      const box = this.shaped(point);
      this.gesture = null;
      // The store goes back first, so that the change has a "before" to undo to.
      this.store.setState({ marks: replaced(state.marks, gesture.mark.id, gesture.mark.box) });
      if (isLargeEnough(box) && !same(box, gesture.mark.box)) this.hooks.commitChange(gesture.mark.id, box);
      return;
    }
    if (!state.draft || gesture?.kind === "pan") return;
    if (state.draft.isTwoClicks || (gesture?.kind === "draw" && gesture.moved)) {
      const box = snapped(
        draftBox({ ...state.draft, to: point }, state.size),
        state.size,
        EDGE / 2 / state.view.scale,
      );
      this.store.setState({ draft: null });
      if (isLargeEnough(box)) this.hooks.commitNew(box);
      return;
    }
    this.store.setState({ draft: { ...state.draft, to: point, isTwoClicks: true } });
  }

  cancel(): void {
    const { gesture } = this;
    this.gesture = null;
    if (gesture?.kind === "move" || gesture?.kind === "resize")
      this.store.setState((state) => ({ marks: replaced(state.marks, gesture.mark.id, gesture.mark.box) }));
    this.store.setState({ draft: null });
  }

  leave(event: PointerEvent): void {
    this.touches.delete(event.pointerId);
    this.store.setState({ pointer: null });
  }

  wheel(event: WheelEvent): void {
    const { view, size } = this.store.getState();
    const factor = Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016));
    this.store.setState({ view: zoomed(view, factor, this.hooks.place(event), size, this.hooks.screen()) });
  }

  private shaped(point: Point): Box {
    const { size, view } = this.store.getState();
    const { gesture } = this;
    if (gesture?.kind === "move") {
      return moveBox(gesture.mark.box, { x: point.x - gesture.from.x, y: point.y - gesture.from.y }, size);
    }
    if (gesture?.kind === "resize")
      return snapped(resizeBox(gesture.mark.box, gesture.handle, point, size), size, EDGE / 2 / view.scale);
    return [0, 0, 0, 0];
  }

  private pinch(id: number, to: Point): void {
    const from = this.touches.get(id);
    const other = [...this.touches].find(([key]) => key !== id)?.[1];
    this.touches.set(id, to);
    if (!from || !other) return;
    const state = this.store.getState();
    const before = Math.hypot(from.x - other.x, from.y - other.y) || 1;
    const after = Math.hypot(to.x - other.x, to.y - other.y) || 1;
    const middle = { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 };
    const view = zoomed(state.view, after / before, middle, state.size, this.hooks.screen());
    this.store.setState({
      view: { ...view, x: view.x + (to.x - from.x) / 2, y: view.y + (to.y - from.y) / 2 },
    });
  }
}

function boxes(marks: readonly Mark[]): BoxMark[] {
  return marks.filter((mark): mark is BoxMark => mark.box !== null && !mark.isHidden);
}

function replaced(marks: readonly Mark[], id: string, box: Box): Mark[] {
  return marks.map((mark) => (mark.id === id ? { ...mark, box } : mark));
}

function same(one: Box, other: Box): boolean {
  return one.every((edge, place) => edge === other[place]);
}
