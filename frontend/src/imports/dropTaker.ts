import { useLayoutEffect } from "react";
import { create } from "zustand";

interface Taker {
  /** The text while files are dragged over the page. */
  text: string;
  take: (files: File[]) => void;
}

/** A page that does something else with files than to import them. */
export const useDropTaker = create<{ taker: Taker | null }>(() => ({ taker: null }));

/** What is dropped or pasted anywhere on the page goes to the component while it is there. */
export function useTakesDrops(text: string, take: (files: File[]) => void): void {
  // As soon as the page is painted: what is dropped a moment later must not go to the page before, which is gone.
  useLayoutEffect(() => {
    const taker = { text, take };
    useDropTaker.setState({ taker });
    return () => useDropTaker.setState((now) => (now.taker === taker ? { taker: null } : now));
  }, [text, take]);
}
