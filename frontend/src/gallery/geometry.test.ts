import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromScroll, layout, moved, pagesOf, placeOf, scrolled, toScroll, visible } from "./geometry";

const shapes = fc.record({
  total: fc.integer({ min: 0, max: 2_000_000 }),
  width: fc.integer({ min: 200, max: 4000 }),
  wanted: fc.constantFrom(112, 176, 280),
  ratio: fc.constantFrom(1, 2, 3),
});

describe("the layout of the gallery", () => {
  it("fills the width and stays within what a browser can scroll", () => {
    fc.assert(
      fc.property(shapes, ({ total, width, wanted, ratio }) => {
        const shape = layout(total, width, wanted, 6, ratio);
        expect(shape.columns * shape.tile + (shape.columns - 1) * shape.gap).toBeCloseTo(width, 3);
        expect(shape.scrollHeight).toBeLessThanOrEqual(15_000_000 / ratio);
        expect(shape.rows * shape.columns).toBeGreaterThanOrEqual(total);
      }),
    );
  });

  it("reaches the last of any number of images", () => {
    fc.assert(
      fc.property(shapes, ({ total, width, wanted, ratio }) => {
        fc.pre(total > 0);
        const view = 800;
        const shape = layout(total, width, wanted, 6, ratio);
        const end = fromScroll(Math.max(0, shape.scrollHeight - view), view, shape);
        expect(visible(end, view, total, shape).end).toBe(total);
        expect(visible(0, view, total, shape).first).toBe(0);
      }),
    );
  });

  it("goes from a place to the scroll bar and back", () => {
    const shape = layout(1_000_000, 1200, 176);
    for (const offset of [0, 1234, 9_000_000, shape.height - 800])
      expect(fromScroll(toScroll(offset, 800, shape), 800, shape)).toBeCloseTo(offset, 0);
  });

  it("moves pixel by pixel with a wheel where the bar is compressed", () => {
    const shape = layout(1_000_000, 1200, 176);
    expect(shape.height).toBeGreaterThan(shape.scrollHeight);
    expect(moved(5_000_000, 2_000_000, 2_000_100, 800, shape)).toBe(5_000_100);
    expect(moved(5_000_000, 2_000_000, 9_000_000, 800, shape)).toBe(fromScroll(9_000_000, 800, shape));
  });

  it("draws few tiles, and all that are in view", () => {
    fc.assert(
      fc.property(shapes, fc.double({ min: 0, max: 1, noNaN: true }), ({ total, width, wanted }, share) => {
        const view = 900;
        const shape = layout(total, width, wanted);
        const offset = share * Math.max(0, shape.height - view);
        const range = visible(offset, view, total, shape);
        expect(range.end - range.first).toBeLessThanOrEqual(
          shape.columns * (Math.ceil(view / (shape.tile + 6)) + 6),
        );
        for (const index of [range.first - 1, range.end]) {
          if (index < 0 || index >= total) continue;
          const { y } = placeOf(index, shape);
          expect(y + shape.tile < offset || y > offset + view).toBe(true);
        }
      }),
    );
  });

  it("names the pages of a range", () => {
    expect(pagesOf({ first: 199, end: 401 }, 200)).toEqual([0, 1, 2]);
    expect(pagesOf({ first: 5, end: 5 }, 200)).toEqual([]);
  });
});

describe("a scroll whose update React runs late", () => {
  const shape = layout(1_000_000, 1200, 180, 6, 1);

  it("moves by a wheel and jumps by the scroll bar all the same", () => {
    const before = { current: 0 };
    const wheel = scrolled(before, 300, 800, shape);
    const jump = scrolled(before, shape.scrollHeight / 2, 800, shape);
    expect(shape.height).toBeGreaterThan(shape.scrollHeight);
    expect(wheel(0)).toBe(300);
    expect(jump(300)).toBeGreaterThan(shape.height / 3);
    expect(before.current).toBe(shape.scrollHeight / 2);
  });
});
