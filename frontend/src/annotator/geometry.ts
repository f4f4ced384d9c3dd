/** Boxes and views, pure. Boxes are [left, top, right, bottom] in pixels of the upright image; a view maps them to the screen. */
import type { Box } from "../api/types";

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

/** Screen = image × scale + (x, y). */
export interface View extends Point {
  scale: number;
}

export const handles = ["nw", "n", "ne", "e", "se", "s", "sw", "w"] as const;
export type Handle = (typeof handles)[number];

export const LEAST_SIDE = 1;
const CLOSEST = 40;

export function boxOf(one: Point, other: Point, image: Size): Box {
  const a = inside(one, image);
  const b = inside(other, image);
  return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)];
}

export function inside({ x, y }: Point, { width, height }: Size): Point {
  return { x: clamp(x, 0, width), y: clamp(y, 0, height) };
}

export function isLargeEnough([left, top, right, bottom]: Box): boolean {
  return right - left >= LEAST_SIDE && bottom - top >= LEAST_SIDE;
}

/** The box moved, and kept whole within the image. */
export function moveBox([left, top, right, bottom]: Box, by: Point, { width, height }: Size): Box {
  const x = clamp(by.x, -left, width - right);
  const y = clamp(by.y, -top, height - bottom);
  return [left + x, top + y, right + x, bottom + y];
}

/** The box with a side or corner at another place; a side that passes the opposite one changes places with it. */
export function resizeBox(box: Box, handle: Handle, to: Point, image: Size): Box {
  const { x, y } = inside(to, image);
  let [left, top, right, bottom] = box;
  if (handle.includes("w")) left = x;
  if (handle.includes("e")) right = x;
  if (handle.includes("n")) top = y;
  if (handle.includes("s")) bottom = y;
  return [Math.min(left, right), Math.min(top, bottom), Math.max(left, right), Math.max(top, bottom)];
}

export function placeOfHandle([left, top, right, bottom]: Box, handle: Handle): Point {
  const x = handle.includes("w") ? left : handle.includes("e") ? right : (left + right) / 2;
  const y = handle.includes("n") ? top : handle.includes("s") ? bottom : (top + bottom) / 2;
  return { x, y };
}

/** The smallest box that holds a point: the one in front where boxes lie in each other. */
export function boxAt<Item extends { box: Box }>(
  items: readonly Item[],
  { x, y }: Point,
  margin: number,
): Item | undefined {
  let found: Item | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const [left, top, right, bottom] = item.box;
    const holds = x >= left - margin && x <= right + margin && y >= top - margin && y <= bottom + margin;
    const area = (right - left) * (bottom - top);
    if (holds && area < least) {
      found = item;
      least = area;
    }
  }
  return found;
}

export function toImage(screen: Point, view: View): Point {
  return { x: (screen.x - view.x) / view.scale, y: (screen.y - view.y) / view.scale };
}

/** The whole image in the middle of the screen. */
export function fitted(image: Size, screen: Size, margin = 24): View {
  const room = {
    width: Math.max(1, screen.width - 2 * margin),
    height: Math.max(1, screen.height - 2 * margin),
  };
  const scale = Math.min(room.width / image.width, room.height / image.height, CLOSEST);
  return {
    scale,
    x: (screen.width - image.width * scale) / 2,
    y: (screen.height - image.height * scale) / 2,
  };
}

/** Closer or farther, with the point under the pointer staying where it is. */
export function zoomed(view: View, factor: number, around: Point, image: Size, screen: Size): View {
  const least = Math.min(fitted(image, screen).scale, 1) / 2;
  const scale = clamp(view.scale * factor, least, CLOSEST);
  const real = scale / view.scale;
  return { scale, x: around.x - (around.x - view.x) * real, y: around.y - (around.y - view.y) * real };
}

/** Closer or farther by a key, which has no pointer. */
export function zoomedInMiddle(view: View, factor: number, image: Size, screen: Size): View {
  return zoomed(view, factor, { x: screen.width / 2, y: screen.height / 2 }, image, screen);
}

/** The same part of the next image: zoom and centre stay when the images have one size, else the next is fitted. */
export function carried(view: View, before: Size, after: Size, screen: Size): View {
  return before.width === after.width && before.height === after.height ? view : fitted(after, screen);
}

/** On a screen of another size: an image that was shown as a whole still is, else the same point stays in the middle. */
export function resized(view: View, image: Size, before: Size, after: Size): View {
  if (Math.abs(view.scale / fitted(image, before).scale - 1) < 0.001) return fitted(image, after);
  return {
    ...view,
    x: view.x + (after.width - before.width) / 2,
    y: view.y + (after.height - before.height) / 2,
  };
}

/** An edge near the border of the image lies on it. */
export function snapped([left, top, right, bottom]: Box, { width, height }: Size, distance: number): Box {
  return [
    left < distance ? 0 : left,
    top < distance ? 0 : top,
    width - right < distance ? width : right,
    height - bottom < distance ? height : bottom,
  ];
}

/** To a hundredth of a pixel: finer is noise of the pointer, and makes answers long. */
export function rounded(box: Box): Box {
  return box.map((edge) => Math.round(edge * 100) / 100) as Box;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
