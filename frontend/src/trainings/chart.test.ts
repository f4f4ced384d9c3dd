import fc from "fast-check";
import { expect, it } from "vitest";
import { nearest, path, scaleOf, ticks } from "./chart";

it("puts ends on ends", () => {
  const scale = scaleOf(2, 4, 10, 0);
  expect([scale(2), scale(3), scale(4)]).toEqual([10, 5, 0]);
  expect(scaleOf(1, 1, 0, 10)(1)).toBe(5);
});

it("has round ticks within the range, few of them", () => {
  expect(ticks(0, 1)).toEqual([0, 0.5, 1]);
  expect(ticks(0.55, 1)).toEqual([0.6, 0.8, 1]);
  expect(ticks(1, 25, 6)).toEqual([5, 10, 15, 20, 25]);
  fc.assert(
    fc.property(
      fc.double({ min: -1e3, max: 1e3, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e4, noNaN: true }),
      (low, span) => {
        const found = ticks(low, low + span);
        expect(found.length).toBeLessThanOrEqual(6);
        for (const value of found) {
          expect(value).toBeGreaterThanOrEqual(low - span * 1e-6);
          expect(value).toBeLessThanOrEqual(low + span * (1 + 1e-6));
        }
      },
    ),
  );
});

it("draws what is a number, a single point too", () => {
  const same = (value: number) => value;
  expect(path([{ epoch: 1, value: 2 }], same, same)).toBe("M1.0,2.0h2");
  const points = [
    { epoch: 1, value: 2 },
    { epoch: 2, value: Number.NaN },
    { epoch: 3, value: 4 },
  ];
  expect(path(points, same, same)).toBe("M1.0,2.0L3.0,4.0");
  expect(path([], same, same)).toBe("");
});

it("knows the figure of an epoch that was not judged by the one before", () => {
  const points = [
    { epoch: 2, value: 0.4 },
    { epoch: 4, value: 0.6 },
  ];
  expect([nearest(points, 3)?.value, nearest(points, 1)?.value, nearest([], 1)]).toEqual([
    0.4,
    0.4,
    undefined,
  ]);
});
