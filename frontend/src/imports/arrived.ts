import type { Arrived, Item } from "./uploads";

/** Whether the dry run opens without being asked for: its person is still where the archive was given, and it was the last. */
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
