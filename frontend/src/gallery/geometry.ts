/** Where the tiles of a gallery lie. Pure.
 *
 * Browsers cap the height of an element (16.7 million CSS pixels in Chromium at two device pixels each, 17.9 in Firefox), so a
 * million images have two coordinates: their place in the layout, and the place of the scroll bar, which is compressed.
 */
export interface Layout {
  columns: number;
  tile: number;
  gap: number;
  rows: number;
  /** Height of the layout in pixels, which may be more than an element can have. */
  height: number;
  /** Height of the element that scrolls. */
  scrollHeight: number;
}

const HIGHEST = 15_000_000;

export function layout(total: number, width: number, wanted: number, gap = 6, pixelRatio = 1): Layout {
  const columns = Math.max(1, Math.floor((width + gap) / (wanted + gap)));
  const tile = Math.max(1, (width - gap * (columns - 1)) / columns);
  const rows = Math.ceil(total / columns);
  const height = rows * (tile + gap);
  return {
    columns,
    tile,
    gap,
    rows,
    height,
    scrollHeight: Math.min(height, HIGHEST / Math.max(1, pixelRatio)),
  };
}

/** The place in the layout that a place of the scroll bar means. */
export function fromScroll(scrollTop: number, view: number, { height, scrollHeight }: Layout): number {
  const range = scrollHeight - view;
  if (range <= 0 || height <= scrollHeight) return clamp(scrollTop, 0, Math.max(0, height - view));
  return clamp((scrollTop / range) * (height - view), 0, height - view);
}

export function toScroll(offset: number, view: number, { height, scrollHeight }: Layout): number {
  if (height <= scrollHeight) return offset;
  return (offset / (height - view)) * (scrollHeight - view);
}

/** A short way is a wheel or a finger, and moves pixel by pixel; a long one is the scroll bar, and jumps. */
export function moved(
  offset: number,
  before: number,
  scrollTop: number,
  view: number,
  shape: Layout,
): number {
  if (shape.height <= shape.scrollHeight) return fromScroll(scrollTop, view, shape);
  const way = scrollTop - before;
  const isAtEnd = scrollTop <= 0 || scrollTop >= shape.scrollHeight - view - 1;
  if (isAtEnd || Math.abs(way) > view * 3) return fromScroll(scrollTop, view, shape);
  return clamp(offset + way, 0, shape.height - view);
}

/** Where one is: a place in the layout, and how far the tiles lie from there in the element that scrolls. */
export interface Place {
  offset: number;
  /** Taken from a tile's place in the layout it gives its place in the element. A wheel leaves it as it is. */
  shift: number;
}

/** What a scroll makes of the place. As long as the shift stays, the browser moves the tiles by itself. */
export function scrolled(place: Place, before: number, top: number, view: number, shape: Layout): Place {
  const offset = moved(place.offset, before, top, view, shape);
  if (shape.height <= shape.scrollHeight) return { offset, shift: 0 };
  const shift = offset - top;
  return Math.abs(shift - place.shift) < 1
    ? { offset: top + place.shift, shift: place.shift }
    : { offset, shift };
}

/** The place in another layout that begins with the same image. */
export function kept(offset: number, before: Layout, shape: Layout): number {
  if (before.columns === shape.columns && before.tile === shape.tile) return offset;
  const row = offset / (before.tile + before.gap);
  const index = Math.floor(row) * before.columns;
  return (Math.floor(index / shape.columns) + (row % 1)) * (shape.tile + shape.gap);
}

export interface Range {
  first: number;
  /** One past the last. */
  end: number;
}

/**
 * The images to draw at a place: those in view and about two rows around them. A row far from the view comes tile by tile: all
 * its tiles at once would take longer than a frame.
 */
export function visible(offset: number, view: number, total: number, shape: Layout, around = 2): Range {
  const row = shape.tile + shape.gap;
  const first = Math.max(0, Math.floor((offset / row - around) * shape.columns));
  const end = Math.min(total, Math.ceil(((offset + view) / row + around) * shape.columns));
  return { first: Math.min(first, total), end };
}

export function placeOf(index: number, { columns, tile, gap }: Layout): { x: number; y: number } {
  return { x: (index % columns) * (tile + gap), y: Math.floor(index / columns) * (tile + gap) };
}

/** The pages of a list that a range needs. */
export function pagesOf({ first, end }: Range, size: number): number[] {
  if (end <= first) return [];
  const from = Math.floor(first / size);
  const to = Math.floor((end - 1) / size);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), Math.max(least, most));
}

/** A range with as many images more on both sides. */
export function widened({ first, end }: Range, by: number, total: number): Range {
  return { first: Math.max(0, first - by), end: Math.min(total, end + by) };
}
