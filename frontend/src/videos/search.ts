/** What the page of a video shows, as it stands in the address. */
export interface VideoSearch {
  /** The predictions that are drawn. */
  run?: string;
  /** Where it opens, in seconds. */
  time?: number;
}

/** Reads an address. What is odd in it is left out. */
export function readVideoSearch(search: Record<string, unknown>): VideoSearch {
  const { run, time } = search;
  return {
    run: typeof run === "string" && run !== "" ? run : undefined,
    time: typeof time === "number" && Number.isFinite(time) && time >= 0 ? time : undefined,
  };
}
