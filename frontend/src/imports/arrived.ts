import type { Arrived, Item } from "./uploads";

/** Whether the dry run opens by itself: the page where the archive was given is still open, and no other archive is on its way. */
export function opensByItself(arrived: Arrived, here: string, items: readonly Item[]): boolean {
  const others = items.filter(
    ({ kind, state, job }) =>
      kind !== "image" &&
      kind !== "video" &&
      job !== arrived.job &&
      (state === "waiting" || state === "sending"),
  );
  return arrived.from === here && others.length === 0;
}
