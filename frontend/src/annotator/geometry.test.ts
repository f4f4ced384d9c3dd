import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Box } from "../api/types";
import {
  boxAt,
  boxOf,
  fitted,
  handles,
  moveBox,
  placeOfHandle,
  resizeBox,
  resized,
  rounded,
  snapped,
  toImage,
  zoomed,
  zoomedInMiddle,
} from "./geometry";

const size = { width: 640, height: 480 };
const point = fc.record({
  x: fc.double({ min: -100, max: 800, noNaN: true }),
  y: fc.double({ min: -100, max: 600, noNaN: true }),
});
const box = fc.tuple(point, point).map(([one, other]) => boxOf(one, other, size));

function isSound([left, top, right, bottom]: Box): boolean {
  return (
    0 <= left && left <= right && right <= size.width && 0 <= top && top <= bottom && bottom <= size.height
  );
}

describe("boxes", () => {
  it("stay within the image and in order, whatever is done to them", () => {
    fc.assert(
      fc.property(box, point, fc.constantFrom(...handles), (start, to, handle) => {
        expect(isSound(start)).toBe(true);
        expect(isSound(moveBox(start, to, size))).toBe(true);
        expect(isSound(resizeBox(start, handle, to, size))).toBe(true);
        expect(isSound(snapped(start, size, 5))).toBe(true);
      }),
    );
  });

  it("keep their size when they are moved", () => {
    fc.assert(
      fc.property(box, point, (start, by) => {
        const next = moveBox(start, by, size);
        expect(next[2] - next[0]).toBeCloseTo(start[2] - start[0], 6);
        expect(next[3] - next[1]).toBeCloseTo(start[3] - start[1], 6);
      }),
    );
  });

  it("do not change when a handle is dropped where it was", () => {
    fc.assert(
      fc.property(box, fc.constantFrom(...handles), (start, handle) => {
        const same = resizeBox(start, handle, placeOfHandle(start, handle), size);
        for (const [place, edge] of same.entries()) expect(edge).toBeCloseTo(start[place] ?? 0, 6);
      }),
    );
  });

  it("are found by the smallest one at a point", () => {
    const items = [{ box: [0, 0, 100, 100] as Box }, { box: [40, 40, 60, 60] as Box }];
    expect(boxAt(items, { x: 50, y: 50 }, 0)).toBe(items[1]);
    expect(boxAt(items, { x: 5, y: 5 }, 0)).toBe(items[0]);
    expect(boxAt(items, { x: 300, y: 5 }, 0)).toBeUndefined();
  });

  it("are exact to a hundredth of a pixel", () => {
    expect(rounded([0.123456, 1, 2.006, 3.999])).toEqual([0.12, 1, 2.01, 4]);
  });
});

describe("the view", () => {
  const screen = { width: 900, height: 700 };

  it("keeps the point under the pointer where it is", () => {
    fc.assert(
      fc.property(point, fc.double({ min: 0.2, max: 5, noNaN: true }), (around, factor) => {
        const view = fitted(size, screen);
        const next = zoomed(view, factor, around, size, screen);
        const before = toImage(around, view);
        const after = toImage(around, next);
        expect(after.x).toBeCloseTo(before.x, 6);
        expect(after.y).toBeCloseTo(before.y, 6);
      }),
    );
  });

  it("shows the whole image at first", () => {
    const view = fitted(size, screen);
    expect(view.x).toBeGreaterThanOrEqual(0);
    expect(view.x + size.width * view.scale).toBeLessThanOrEqual(screen.width);
    expect(view.y + size.height * view.scale).toBeLessThanOrEqual(screen.height);
  });
});

it("shows the whole image still when the screen gets another size, and else the same middle", () => {
  const image = { width: 1000, height: 800 };
  const before = { width: 900, height: 700 };
  const after = { width: 400, height: 500 };
  expect(resized(fitted(image, before), image, before, after)).toEqual(fitted(image, after));
  const close = { scale: 4, x: -1000, y: -900 };
  const middle = (view: typeof close, screen: typeof before) =>
    toImage({ x: screen.width / 2, y: screen.height / 2 }, view);
  expect(middle(resized(close, image, before, after), after)).toEqual(middle(close, before));
});

it("goes no closer and no farther by keys than by the wheel", () => {
  const screen = { width: 900, height: 600 };
  let view = fitted(size, screen);
  for (let turn = 0; turn < 30; turn += 1) view = zoomedInMiddle(view, 1.4, size, screen);
  expect(view.scale).toBe(zoomed(view, 1000, { x: 0, y: 0 }, size, screen).scale);
  expect(toImage({ x: 450, y: 300 }, view).x).toBeCloseTo(320);
  for (let turn = 0; turn < 60; turn += 1) view = zoomedInMiddle(view, 1 / 1.4, size, screen);
  expect(view.scale).toBe(zoomed(view, 0.001, { x: 0, y: 0 }, size, screen).scale);
});
