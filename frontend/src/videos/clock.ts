import { create } from "zustand";

/** Where the player is. It changes with every frame, so only what paints it listens. */
export interface Clock {
  /** Seconds, of the frame that is shown. */
  time: number;
  isPlaying: boolean;
}

export const useClock = create<Clock>(() => ({ time: 0, isPlaying: false }));
