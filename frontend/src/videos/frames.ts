/** Frames and times of a video with an even rate. Frame 0 is shown from 0 on. */

export interface Rate {
  fps: number;
  count: number;
}

/** The frame that is shown at a time, as a player tells it: exactly its beginning, or anything within it. */
export function frameAt(time: number, { fps, count }: Rate): number {
  if (!(fps > 0)) return 0;
  return clamp(Math.floor(time * fps + 0.1), 0, Math.max(0, count - 1));
}

/** Where a player is sent to, to show a frame: its middle, since beginnings are rounded by files and by players. */
export function middleOf(frame: number, { fps, count }: Rate): number {
  if (!(fps > 0)) return 0;
  return (clamp(frame, 0, Math.max(0, count - 1)) + 0.5) / fps;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** "1:02:03.45" or "2:03.45". */
export function clockOf(seconds: number): string {
  const hundredths = Math.round(Math.max(0, seconds) * 100);
  const [whole, rest] = [Math.floor(hundredths / 100), hundredths % 100];
  const [hours, minutes, left] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(left)}.${two(rest)}`;
}

/** How many frames one every so many seconds are: the first at 0. */
export function countEvery(seconds: number, duration: number, frames: number): number {
  if (!(seconds > 0) || frames <= 0) return 0;
  const last = duration * (1 - 1 / frames);
  return Math.min(frames, Math.floor(last / seconds + 1e-9) + 1);
}

/** The last entry that begins at a time or before, of entries in the order of their times; by halves. */
export function lastBefore<Entry extends { time: number }>(
  entries: readonly Entry[],
  time: number,
): Entry | undefined {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.time ?? Number.POSITIVE_INFINITY) <= time + 0.002) low = middle + 1;
    else high = middle;
  }
  return entries[low - 1];
}
