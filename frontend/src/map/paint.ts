import type { Positions, Size, View } from "./geometry";

/** Forms of points, so that colour is not the only sign of a label. */
export const forms = ["disc", "square", "diamond", "triangle", "plus", "cross", "ring"] as const;
export type Form = (typeof forms)[number] | "dot";

/** Whether a form of a radius covers a place. */
const covers: Record<Form, (x: number, y: number, radius: number) => boolean> = {
  disc: (x, y, radius) => x * x + y * y <= radius * radius + radius * 0.5,
  square: (x, y, radius) => Math.max(Math.abs(x), Math.abs(y)) <= radius * 0.85,
  diamond: (x, y, radius) => Math.abs(x) + Math.abs(y) <= radius,
  triangle: (x, y, radius) => y <= radius * 0.8 && Math.abs(x) <= (y + radius) / 1.8,
  plus: (x, y, radius) => Math.min(Math.abs(x), Math.abs(y)) <= radius / 3.5,
  cross: (x, y, radius) =>
    Math.abs(Math.abs(x) - Math.abs(y)) <= radius / 3 && Math.max(Math.abs(x), Math.abs(y)) <= radius,
  ring: (x, y, radius) =>
    x * x + y * y <= radius * radius + radius * 0.5 && x * x + y * y >= (0.55 * radius) ** 2,
  dot: (x, y, radius) => x * x + y * y <= (radius * radius) / 2.5,
};

/** Places that a form covers around its middle: x and y in turn. */
export function stamp(form: Form, radius: number): Int16Array {
  const places: number[] = [];
  for (let y = -radius; y <= radius; y++)
    for (let x = -radius; x <= radius; x++) if (covers[form](x, y, radius)) places.push(x, y);
  return Int16Array.from(places);
}

export interface Style {
  form: Form;
  /** #rrggbb. */
  color: string;
  isDimmed: boolean;
}

export interface Scene {
  points: Positions & { places: Uint16Array };
  /** By place of the label; the last is of images without one. */
  styles: readonly Style[];
  /** Of each point: 1 where it is chosen. */
  chosen: Uint8Array;
  cursor: number | null;
  view: View;
  /** In CSS pixels. */
  size: Size;
  ratio: number;
  /** #rrggbb. */
  selected: string;
}

const DIMMED = 40;

/** A colour as the bytes of an image in memory: red, green, blue, opacity. */
export function packed(color: string, opacity = 255): number {
  const value = /^#[0-9a-f]{6}$/i.test(color) ? Number.parseInt(color.slice(1), 16) : 0x888888;
  const [red, green, blue] = [value >> 16, (value >> 8) & 255, value & 255];
  return ((opacity << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** The radius of points in device pixels: larger where they are few, and closer. */
export function radiusOf(count: number, view: View, size: Size, ratio: number): number {
  const base = count > 20_000 ? 2 : count > 2_000 ? 3 : 4;
  const closer = Math.log2(Math.max(1, view.scale / Math.min(size.width, size.height)));
  return Math.round(Math.min(9, base + closer) * ratio);
}

/** Writes the points into the memory of an image, the chosen ones on top; 100,000 take some milliseconds. */
export function paint(scene: Scene, pixels: Uint32Array, width: number, height: number): void {
  const { points, styles, chosen, view, size, ratio } = scene;
  pixels.fill(0);
  const radius = radiusOf(points.count, view, size, ratio);
  const stamps = styles.map(({ form }) => stamp(form, radius));
  const colors = styles.map(({ color, isDimmed }) => packed(color, isDimmed ? DIMMED : 255));
  const around = stamp("disc", radius + Math.max(2, Math.round(1.5 * ratio)));
  const selected = packed(scene.selected);
  // Numbers of memory beside the middle, for points that lie whole within the image, which nearly all do.
  const inMemory = (places: Int16Array) =>
    Int32Array.from({ length: places.length / 2 }, (_, at) => {
      const [x = 0, y = 0] = places.subarray(2 * at, 2 * at + 2);
      return y * width + x;
    });
  const beside = new Map([...stamps, around].map((places) => [places, inMemory(places)]));
  const put = (at: number, places: Int16Array, color: number) => {
    const column = Math.round(((points.x[at] as number) * view.scale + view.x) * ratio);
    const row = Math.round(((points.y[at] as number) * view.scale + view.y) * ratio);
    const edge = 20 * ratio;
    if (column < -edge || row < -edge || column > width + edge || row > height + edge) return;
    const numbers = beside.get(places);
    if (numbers && column >= edge && row >= edge && column < width - edge && row < height - edge) {
      const middle = row * width + column;
      for (let place = 0; place < numbers.length; place++)
        pixels[middle + (numbers[place] as number)] = color;
      return;
    }
    for (let place = 0; place < places.length; place += 2) {
      const left = column + (places[place] as number);
      const top = row + (places[place + 1] as number);
      if (left >= 0 && left < width && top >= 0 && top < height) pixels[top * width + left] = color;
    }
  };
  const own = (at: number) => {
    const place = points.places[at] as number;
    put(at, stamps[place] as Int16Array, colors[place] as number);
  };
  let anyChosen = false;
  for (let at = 0; at < points.count; at++)
    if (chosen[at]) anyChosen = true;
    else own(at);
  if (anyChosen)
    for (let at = 0; at < points.count; at++)
      if (chosen[at]) {
        put(at, around, selected);
        own(at);
      }
  if (scene.cursor !== null && scene.cursor < points.count) {
    put(scene.cursor, stamp("square", radius + 5), selected);
    put(scene.cursor, stamp("square", radius + 2), packed("#ffffff"));
    own(scene.cursor);
  }
}
