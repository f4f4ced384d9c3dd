import { type RefCallback, useCallback, useLayoutEffect, useRef, useState } from "react";
import { kept, type Layout, type Place, type Range, scrolled, toScroll, visible } from "./geometry";

interface Shown {
  range: Range;
  shift: number;
}

/** Where each list was left, so that Back shows the same images. */
const places = new Map<string, number>();

/**
 * Which images a scroller shows. React hears of a scroll only when other images come into view: between two rows the browser
 * moves the tiles by itself.
 *
 * @param key names the list.
 */
export function useScroll(key: string, total: number, view: number, shape: Layout, isReady: boolean) {
  const element = useRef<HTMLDivElement | null>(null);
  const place = useRef<Place>({ offset: 0, shift: 0 });
  const before = useRef(0);
  const last = useRef<{ key: string; shape: Layout } | null>(null);
  const [shown, setShown] = useState<Shown>({ range: { first: 0, end: 0 }, shift: 0 });

  const show = useCallback(
    (next: Place) => {
      place.current = next;
      places.set(key, next.offset);
      const range = visible(next.offset, view, total, shape);
      setShown((now) =>
        now.range.first === range.first && now.range.end === range.end && now.shift === next.shift
          ? now
          : { range, shift: next.shift },
      );
    },
    [key, view, total, shape],
  );
  const scrollTo = useCallback(
    (offset: number) => {
      if (!element.current) return;
      element.current.scrollTop = toScroll(offset, view, shape);
      // Browsers round it.
      before.current = element.current.scrollTop;
      show(scrolled({ offset, shift: offset - before.current }, before.current, before.current, view, shape));
    },
    [view, shape, show],
  );
  const onScroll = () => {
    const top = element.current?.scrollTop ?? 0;
    if (Math.abs(top - before.current) < 0.5) return;
    const next = scrolled(place.current, before.current, top, view, shape);
    before.current = top;
    show(next);
  };
  // Back from an image, or to a place that the address before had, or in tiles of another size: the same images again.
  useLayoutEffect(() => {
    if (!isReady) return;
    const { current: before } = last;
    const offset =
      before?.key === key ? kept(place.current.offset, before.shape, shape) : (places.get(key) ?? 0);
    last.current = { key, shape };
    scrollTo(Math.min(offset, Math.max(0, shape.height - view)));
  }, [isReady, key, shape, view, scrollTo]);

  const ref: RefCallback<HTMLDivElement> = useCallback((found) => {
    element.current = found;
  }, []);
  return { ref, onScroll, scrollTo, offset: () => place.current.offset, ...shown };
}
