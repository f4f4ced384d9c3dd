import { beforeEach, describe, expect, it } from "vitest";
import type { Box } from "../api/types";
import { Gestures } from "./gestures";
import { annotator, type Mark } from "./store";

const made: Box[] = [];
const changed: [string, Box][] = [];
const mark: Mark = {
  id: "one",
  label: "l",
  box: [100, 100, 200, 200],
  confirmed: true,
  origin: "human",
  score: null,
};
let gestures: Gestures;

function event(x: number, y: number, more: Partial<PointerEvent> = {}): PointerEvent {
  return { clientX: x, clientY: y, button: 0, pointerId: 1, pointerType: "mouse", ...more } as PointerEvent;
}

beforeEach(() => {
  made.length = changed.length = 0;
  annotator.setState({
    size: { width: 640, height: 480 },
    marks: [mark],
    selected: null,
    draft: null,
    tool: "draw",
    view: { scale: 2, x: 10, y: 20 },
  });
  gestures = new Gestures(annotator, {
    screen: () => ({ width: 900, height: 700 }),
    place: ({ clientX, clientY }) => ({ x: clientX, y: clientY }),
    commitNew: (box) => made.push(box),
    commitChange: (id, box) => changed.push([id, box]),
    mayEdit: () => true,
  });
});

describe("pointers", () => {
  it("draw a box by dragging, also when the last move was never painted", () => {
    gestures.down(event(110, 120), null);
    gestures.move(event(150, 160));
    gestures.up(event(210, 220));
    expect(made).toEqual([[50, 50, 100, 100]]);
  });

  it("draw a box by two clicks", () => {
    gestures.down(event(110, 120), null);
    gestures.up(event(110, 120));
    expect(made).toEqual([]);
    gestures.move(event(300, 300));
    gestures.down(event(310, 320), null);
    gestures.up(event(310, 320));
    expect(made).toEqual([[50, 50, 150, 150]]);
    expect(annotator.getState().draft).toBeNull();
  });

  it("move a box with the selecting tool, as one change", () => {
    annotator.setState({ tool: "select" });
    gestures.down(event(310, 320), null);
    gestures.move(event(330, 320));
    gestures.up(event(350, 320));
    expect(changed).toEqual([["one", [120, 100, 220, 200]]]);
    expect(annotator.getState().marks[0]?.box).toEqual([100, 100, 200, 200]);
  });

  it("leave a locked box alone", () => {
    annotator.setState({ tool: "select", marks: [{ ...mark, isLocked: true }] });
    gestures.down(event(310, 320), null);
    gestures.up(event(350, 320));
    expect(changed).toEqual([]);
  });

  it("forget a box that Escape cancelled", () => {
    gestures.down(event(110, 120), null);
    gestures.move(event(150, 160));
    gestures.cancel();
    gestures.up(event(210, 220));
    expect(made).toEqual([]);
  });

  it("zoom by two fingers without drawing", () => {
    const finger = (id: number) => ({ pointerId: id, pointerType: "touch" }) as const;
    gestures.down(event(100, 100, finger(1)), null);
    gestures.down(event(200, 100, finger(2)), null);
    gestures.move(event(300, 100, finger(2)));
    expect(annotator.getState().view.scale).toBeGreaterThan(2);
    gestures.up(event(300, 100, finger(2)));
    gestures.up(event(100, 100, finger(1)));
    expect(made).toEqual([]);
  });
});
