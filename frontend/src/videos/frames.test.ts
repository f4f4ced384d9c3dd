import fc from "fast-check";
import { expect, it } from "vitest";
import { clockOf, countEvery, frameAt, lastBefore, middleOf } from "./frames";
import { readVideoSearch } from "./search";

it("finds the frame again to whose middle it has sent the player", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200_000 }),
      fc.double({ min: 1, max: 240, noNaN: true }),
      (count, fps) => {
        const rate = { fps, count };
        for (const frame of [0, count - 1, count >> 1])
          expect(frameAt(middleOf(frame, rate), rate)).toBe(frame);
      },
    ),
  );
});

it("knows the frame by the beginning that a player tells, rounded to milliseconds or not", () => {
  const rate = { fps: 29.97, count: 1000 };
  for (const frame of [0, 1, 2, 333, 999]) {
    expect(frameAt(frame / 29.97, rate)).toBe(frame);
    expect(frameAt(Math.round((frame / 29.97) * 1000) / 1000, rate)).toBe(frame);
  }
  expect(frameAt(1e9, rate)).toBe(999);
  expect(frameAt(3, { fps: 0, count: 0 })).toBe(0);
});

it("counts what every so many seconds gives, as the studio does", () => {
  expect(countEvery(0.5, 2.4, 60)).toBe(5);
  expect(countEvery(2.4, 2.4, 60)).toBe(1);
  expect(countEvery(0.001, 2.4, 60)).toBe(60);
  expect(countEvery(0, 2.4, 60)).toBe(0);
});

it("writes times", () => {
  expect([0, 3.456, 59.999, 123.4, 3723.5].map(clockOf)).toEqual([
    "0:00.00",
    "0:03.46",
    "1:00.00",
    "2:03.40",
    "1:02:03.50",
  ]);
});

it("finds the entry of a time", () => {
  const entries = [0, 0.04, 0.08, 1].map((time) => ({ time }));
  expect([-1, 0, 0.039, 0.05, 5].map((time) => lastBefore(entries, time)?.time)).toEqual([
    undefined,
    0,
    0.04,
    0.04,
    1,
  ]);
});

it("reads an address", () => {
  expect(readVideoSearch({ run: "a", time: 3 })).toEqual({ run: "a", time: 3 });
  expect(readVideoSearch({ run: 3, time: -1 })).toEqual({ run: undefined, time: undefined });
});
