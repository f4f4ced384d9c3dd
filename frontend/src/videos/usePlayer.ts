import { useCallback, useEffect, useMemo, useRef } from "react";
import { useClock } from "./clock";
import { frameAt, middleOf, type Rate } from "./frames";

export interface Controls {
  /** Shows what is at a time, in seconds. */
  seek: (time: number) => void;
  /** So many frames on, or back. */
  step: (frames: number) => void;
  toggle: () => void;
}

/** Drives a player, or the page's clock alone where there is none, and keeps the clock at the frame that is shown. */
export function usePlayer(player: HTMLVideoElement | null, rate: Rate): Controls {
  // Steps that come faster than the player gets there add up.
  const wanted = useRef<number | null>(null);
  const show = useCallback((time: number) => {
    useClock.setState({ time });
  }, []);
  useEffect(() => {
    useClock.setState({ isPlaying: false });
    if (!player) return undefined;
    const tell = (time: number) => {
      if (!player.seeking) wanted.current = null;
      show(time);
    };
    // Of two seeks in quick succession a busy browser may present the last frame without telling of it. What it did tell
    // stays: it is the beginning of the frame, and the player stands in its middle.
    const stands = () => {
      const frame = frameAt(player.currentTime, rate);
      if (player.paused && frame !== frameAt(useClock.getState().time, rate)) tell(frame / (rate.fps || 1));
    };
    player.addEventListener("seeked", stands);
    const stop = follow(player, tell);
    return () => {
      player.removeEventListener("seeked", stands);
      stop();
    };
  }, [player, rate, show]);
  return useMemo(() => {
    const go = (frame: number) => {
      wanted.current = frameAt(middleOf(frame, rate), rate);
      if (player) player.currentTime = middleOf(frame, rate);
      else show(wanted.current / (rate.fps || 1));
    };
    return {
      seek: (time) => go(frameAt(time, rate)),
      step: (frames) => {
        player?.pause();
        go((wanted.current ?? frameAt(useClock.getState().time, rate)) + frames);
      },
      toggle: () => {
        if (!player) return;
        if (player.paused) void player.play().catch(() => undefined);
        else player.pause();
      },
    };
  }, [player, rate, show]);
}

/** Tells of each frame when it is on the screen; browsers that do not know it tell of times now and then. */
function follow(player: HTMLVideoElement, tell: (time: number) => void): () => void {
  const events = new AbortController();
  const { signal } = events;
  for (const name of ["play", "pause", "ended"])
    player.addEventListener(name, () => useClock.setState({ isPlaying: !player.paused }), { signal });
  if (!("requestVideoFrameCallback" in player)) {
    const other = player as HTMLVideoElement;
    for (const name of ["timeupdate", "seeked", "loadeddata"])
      other.addEventListener(name, () => tell(other.currentTime), { signal });
    return () => events.abort();
  }
  let handle = 0;
  const seen = (_: number, { mediaTime }: { mediaTime: number }) => {
    tell(mediaTime);
    handle = player.requestVideoFrameCallback(seen);
  };
  handle = player.requestVideoFrameCallback(seen);
  return () => {
    events.abort();
    player.cancelVideoFrameCallback(handle);
  };
}
