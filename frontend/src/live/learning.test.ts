import { expect, it } from "vitest";
import { band, expectedFrom, isWorthMore, pointsOf, rangeOf, weakest } from "./learning";

const point = (images: number, accuracy: number, deviation = 0.02) => ({ images, accuracy, deviation });

it("orders what was measured before what is expected", () => {
  const curve = { measured: [point(40, 0.7), point(20, 0.6)], expected: [point(90, 0.8)] };
  expect(pointsOf(curve).map(({ images }) => images)).toEqual([20, 40, 90]);
});

it("has room for each point with its uncertainty, in steps of five percent", () => {
  expect(rangeOf([point(1, 0.71, 0.02), point(2, 0.88, 0.01)])).toEqual([0.65, 0.9]);
  expect(rangeOf([point(1, 0.01, 0.5), point(2, 0.99, 0.5)])).toEqual([0, 1]);
});

it("outlines the uncertainty and never leaves 0 to 1", () => {
  const same = (value: number) => value;
  expect(band([point(1, 0.5, 0.25), point(2, 1, 0.5)], same, (value) => value * 100)).toBe(
    "M1.0,75.0L2.0,100.0L2.0,50.0L1.0,25.0Z",
  );
  expect(band([], same, same)).toBe("");
});

it("adds the rise of the curve from here on to what is measured now", () => {
  const curve = { measured: [point(48, 0.6), point(100, 0.8)], expected: [point(200, 0.9, 0.04)] };
  expect(expectedFrom(0.83, 150, curve)).toMatchObject({ images: 200, deviation: 0.04 });
  expect(expectedFrom(0.83, 150, curve)?.accuracy).toBeCloseTo(0.88);
  expect(expectedFrom(0.99, 100, curve)?.accuracy).toBe(1);
  expect(expectedFrom(0.83, 500, curve)?.accuracy).toBe(0.83);
  const falling = { measured: [point(100, 0.9)], expected: [point(200, 0.8)] };
  expect(expectedFrom(0.9, 100, falling)?.accuracy).toBe(0.9);
  expect(expectedFrom(null, 100, curve)).toBeNull();
  expect(expectedFrom(0.5, 100, { measured: [], expected: [] })).toBeNull();
});

it("calls more labels worth it where people would see a difference", () => {
  expect(isWorthMore(0.8, point(90, 0.83))).toBe(true);
  expect(isWorthMore(0.8, point(90, 0.805))).toBe(false);
  expect(isWorthMore(null, point(90, 0.83))).toBe(false);
});

it("names the labels that it gets wrong most often, not those that were hardly tried", () => {
  const label = (name: string, right: number, tried: number) => ({
    label: name,
    images: 10,
    guesses: 0,
    held_out: tried,
    right,
  });
  const rows = [
    label("a", 9, 10),
    label("b", 0, 2),
    label("c", 4, 10),
    label("d", 10, 10),
    label("e", 6, 10),
  ];
  expect(weakest(rows, 2).map(({ label }) => label)).toEqual(["c", "e"]);
});
