import { expect, test } from "vitest";
import { fitted } from "./geometry";
import { forms, packed, paint, radiusOf, type Scene, stamp } from "./paint";

const size = { width: 40, height: 40 };
const scene = (changes: Partial<Scene> = {}): Scene => ({
  points: {
    count: 2,
    x: Float32Array.from([0.25, 0.75]),
    y: Float32Array.from([0.5, 0.5]),
    places: Uint16Array.from([0, 1]),
  },
  styles: [
    { form: "square", color: "#ff0000", isDimmed: false },
    { form: "dot", color: "#00ff00", isDimmed: true },
  ],
  chosen: new Uint8Array(2),
  cursor: null,
  view: fitted(size),
  size,
  ratio: 1,
  selected: "#0000ff",
  ...changes,
});
const painted = (changes: Partial<Scene> = {}) => {
  const pixels = new Uint32Array(40 * 40);
  paint(scene(changes), pixels, 40, 40);
  return pixels;
};

test("each label has a form of its own", () => {
  const texts = forms.map((form) => stamp(form, 6).join());
  expect(new Set(texts).size).toBe(forms.length);
  for (const form of [...forms, "dot" as const])
    for (const radius of [2, 3, 4, 9]) expect(stamp(form, radius).length).toBeGreaterThan(4);
});

test("points have the colours of their labels where they are, and others are dimmed", () => {
  const pixels = painted();
  expect(pixels[20 * 40 + 10]).toBe(packed("#ff0000"));
  expect(pixels[20 * 40 + 30]).toBe(packed("#00ff00", 40));
  expect(pixels[0]).toBe(0);
});

test("a chosen point has an edge", () => {
  const pixels = painted({ chosen: Uint8Array.from([1, 0]) });
  expect(pixels[20 * 40 + 10]).toBe(packed("#ff0000"));
  expect(pixels).toContain(packed("#0000ff"));
  expect(painted()).not.toContain(packed("#0000ff"));
});

test("points beyond the edge write nothing elsewhere", () => {
  const pixels = painted({ view: { scale: 40, x: -39, y: 0 } });
  const isLeft = [...pixels].every((pixel, at) => pixel === 0 || at % 40 < 12);
  expect(isLeft).toBe(true);
});

test("many points are smaller, and close ones larger", () => {
  const view = fitted(size);
  expect(radiusOf(100_000, view, size, 1)).toBeLessThan(radiusOf(100, view, size, 1));
  expect(radiusOf(100, { ...view, scale: 160 }, size, 1)).toBeGreaterThan(radiusOf(100, view, size, 1));
});

test("a colour that is none is grey", () => {
  expect(packed("red")).toBe(packed("#888888"));
});

test("a point whole within the image is its form, and no more", () => {
  const large = { width: 120, height: 120 };
  const pixels = new Uint32Array(120 * 120);
  const points = { ...scene().points, count: 1 };
  paint(scene({ points, size: large, view: fitted(large) }), pixels, 120, 120);
  const radius = radiusOf(1, fitted(large), large, 1);
  const painted = [...pixels].flatMap((pixel, at) =>
    pixel ? [[(at % 120) - 30, Math.floor(at / 120) - 60]] : [],
  );
  const wanted = stamp("square", radius);
  expect(painted.flat()).toEqual([...wanted]);
});
