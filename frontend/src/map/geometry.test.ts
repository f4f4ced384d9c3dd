import { expect, test } from "vitest";
import {
  fitted,
  indexed,
  inView,
  isInside,
  type Positions,
  panned,
  toMap,
  toScreen,
  towards,
  within,
  zoomed,
} from "./geometry";

const size = { width: 800, height: 600 };
const at = (...places: [number, number][]): Positions => ({
  count: places.length,
  x: Float32Array.from(places, ([x]) => x),
  y: Float32Array.from(places, ([, y]) => y),
});
/** Numbers between 0 and 1, the same in each run. */
function some(count: number, seed = 7): Positions {
  let state = seed;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return at(...Array.from({ length: count }, (): [number, number] => [next(), next()]));
}

test("the whole map is in the middle of the screen", () => {
  const view = fitted(size);
  expect(toScreen(view, { x: 0.5, y: 0.5 })).toEqual({ x: 400, y: 300 });
  expect(inView(some(50), view, size)).toHaveLength(50);
});

test("zooming leaves the place under the pointer where it is, and has an end", () => {
  const view = panned(fitted(size), 13, -40);
  const pointer = { x: 123, y: 456 };
  const closer = zoomed(view, 3, pointer, size);
  const before = toMap(view, pointer);
  const after = toMap(closer, pointer);
  expect(after.x).toBeCloseTo(before.x, 9);
  expect(after.y).toBeCloseTo(before.y, 9);
  expect(zoomed(view, 1e9, pointer, size).scale).toBe(64 * 600);
  expect(zoomed(view, 1e-9, pointer, size).scale).toBe(300);
});

test("a place on the screen is the one on the map that it shows", () => {
  const view = zoomed(fitted(size), 2.5, { x: 10, y: 20 }, size);
  for (const place of [
    { x: 0, y: 0 },
    { x: 400, y: 17 },
  ]) {
    const back = toScreen(view, toMap(view, place));
    expect(back.x).toBeCloseTo(place.x, 9);
    expect(back.y).toBeCloseTo(place.y, 9);
  }
});

const bay = [
  { x: 0.1, y: 0.1 },
  { x: 0.9, y: 0.1 },
  { x: 0.9, y: 0.9 },
  { x: 0.5, y: 0.3 },
  { x: 0.1, y: 0.9 },
];

test("what lies in a bay of the line is outside", () => {
  expect(isInside(bay, { x: 0.2, y: 0.5 })).toBe(true);
  expect(isInside(bay, { x: 0.5, y: 0.8 })).toBe(false);
  expect(isInside(bay, { x: 0.95, y: 0.5 })).toBe(false);
  expect(within(at([0.2, 0.5], [0.5, 0.8], [0.5, 0.2]), bay)).toEqual([0, 2]);
});

test("a line around a rectangle holds what its edges hold, in whichever direction it is drawn", () => {
  const points = some(500);
  const line = [
    { x: 0.2, y: 0.3 },
    { x: 0.7, y: 0.3 },
    { x: 0.7, y: 0.6 },
    { x: 0.2, y: 0.6 },
  ];
  const wanted = Array.from({ length: 500 }, (_, place) => place).filter((place) => {
    const [x, y] = [points.x[place] as number, points.y[place] as number];
    return x > 0.2 && x < 0.7 && y > 0.3 && y < 0.6;
  });
  expect(within(points, line)).toEqual(wanted);
  expect(within(points, line.toReversed())).toEqual(wanted);
});

test("a line without an inside holds nothing", () => {
  expect(within(some(20), [])).toEqual([]);
  expect(within(some(20), [bay[0], bay[1]] as typeof bay)).toEqual([]);
});

test("the index finds the point that a look at all finds", () => {
  const points = some(800, 11);
  const index = indexed(points);
  const asked = some(100, 5);
  for (let place = 0; place < asked.count; place++) {
    const [x, y] = [asked.x[place] as number, asked.y[place] as number];
    let best: number | null = null;
    let least = 0.03 ** 2;
    for (let other = 0; other < points.count; other++) {
      const distance = ((points.x[other] as number) - x) ** 2 + ((points.y[other] as number) - y) ** 2;
      if (distance <= least) [best, least] = [other, distance];
    }
    expect(index.nearest({ x, y }, 0.03)).toBe(best);
  }
  expect(indexed(at()).nearest({ x: 0.5, y: 0.5 }, 1)).toBeNull();
});

test("arrows go to the nearest point of their direction, and stay at the edge", () => {
  const points = at([0.5, 0.5], [0.7, 0.52], [0.55, 0.9], [0.9, 0.5]);
  expect(towards(points, 0, { x: 1, y: 0 })).toBe(1);
  expect(towards(points, 0, { x: 0, y: 1 })).toBe(2);
  expect(towards(points, 0, { x: -1, y: 0 })).toBeNull();
});
