import { useEffect, useRef } from "react";

export type Way = "next" | "previous";

/**
 * Steps from image to image, one for each press of a key. A press that comes before the studio has said what is beside the
 * image waits for that, and the one after it goes on from there: none is lost, however quick the hand.
 */
export function useWalk(
  image: string,
  beside: (from: string, way: Way) => Promise<string | null | undefined>,
  go: (to: string) => void,
): (way: Way) => void {
  const latest = useRef({ beside, go });
  latest.current = { beside, go };
  const at = useRef(image);
  const open = useRef(0);
  const isHere = useRef(true);
  const queue = useRef(Promise.resolve());
  useEffect(() => {
    if (open.current === 0) at.current = image;
  }, [image]);
  // Who has left the page is not taken back to it.
  useEffect(() => {
    isHere.current = true;
    return () => {
      isHere.current = false;
    };
  }, []);
  const step = async (way: Way) => {
    try {
      const to = isHere.current ? await latest.current.beside(at.current, way) : null;
      if (!to || !isHere.current) return;
      at.current = to;
      latest.current.go(to);
    } catch {
      // Without a connection the page stays where it is: the top bar says why.
    } finally {
      open.current -= 1;
    }
  };
  return (way) => {
    open.current += 1;
    queue.current = queue.current.then(() => step(way));
  };
}
