import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromScroll, kept, layout, moved, pagesOf, placeOf, scrolled, toScroll, visible } from "./geometry";

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

  it("lets the tiles of a row come and go one after the other", () => {
    const shape = layout(1_000_000, 1200, 176);
    const step = (shape.tile + shape.gap) / shape.columns;
    for (let offset = 5000; offset < 6000; offset += step) {
      const [before, after] = [offset, offset + step].map((place) => visible(place, 800, 1_000_000, shape));
      expect((after?.end ?? 0) - (before?.end ?? 0)).toBeLessThanOrEqual(2);
      expect((after?.first ?? 0) - (before?.first ?? 0)).toBeLessThanOrEqual(2);
    }
  });

  it("names the pages of a range", () => {
    expect(pagesOf({ first: 199, end: 401 }, 200)).toEqual([0, 1, 2]);
    expect(pagesOf({ first: 5, end: 5 }, 200)).toEqual([]);
  });
});

describe("a scroll", () => {
  const shape = layout(1_000_000, 1200, 180, 6, 1);

  it("by a wheel leaves the tiles to the browser, and a jump lays them out again", () => {
    expect(shape.height).toBeGreaterThan(shape.scrollHeight);
    const start = { offset: 0, shift: 0 };
    const wheel = scrolled(start, 0, 300.4, 800, shape);
    expect(wheel).toEqual({ offset: 300.4, shift: 0 });
    const jump = scrolled(wheel, 300.4, shape.scrollHeight / 2, 800, shape);
    expect(jump.offset).toBeGreaterThan(shape.height / 3);
    expect(jump.shift).toBe(jump.offset - shape.scrollHeight / 2);
    const on = scrolled(jump, shape.scrollHeight / 2, shape.scrollHeight / 2 + 40, 800, shape);
    expect(on).toEqual({ offset: jump.offset + 40, shift: jump.shift });
  });

  it("never shifts the tiles of a list that fits", () => {
    const few = layout(3000, 1200, 180, 6, 1);
    for (const top of [0, 17.5, 9000, 1e9])
      expect(scrolled({ offset: 0, shift: 0 }, 0, top, 800, few).shift).toBe(0);
  });

  it("keeps tiles within the element, and in view", () => {
    const tops = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(shapes, tops, ({ total, width, wanted, ratio }, shares) => {
        const view = 800;
        const large = layout(total, width, wanted, 6, ratio);
        let place = { offset: 0, shift: 0 };
        let before = 0;
        for (const share of shares) {
          const top = share * Math.max(0, large.scrollHeight - view);
          place = scrolled(place, before, top, view, large);
          before = top;
          const range = visible(place.offset, view, total, large, 0);
          for (const index of [range.first, range.end - 1].filter((one) => one >= 0 && one < total)) {
            const y = placeOf(index, large).y - place.shift;
            expect(y + large.tile + large.gap).toBeGreaterThan(top - 2);
            expect(y).toBeLessThan(top + view + 2);
          }
        }
      }),
    );
  });
});

it("keeps the first image in view when tiles get another size", () => {
  const before = layout(10_000, 1200, 112);
  const after = layout(10_000, 1200, 280);
  const index = 40 * before.columns;
  const offset = kept(placeOf(index, before).y, before, after);
  const range = visible(offset, 800, 10_000, after, 0);
  expect(range.first).toBeLessThanOrEqual(index);
  expect(range.first + after.columns).toBeGreaterThan(index);
});
