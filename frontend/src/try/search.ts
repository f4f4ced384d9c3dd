/** So many models look at one image side by side. */
export const MOST_MODELS = 4;
const ID = /^[0-9a-f-]{36}$/;

/** What is tried, as it stands in the address. */
export interface TrySearch {
  /** Models, with commas. */
  model?: string;
  camera?: boolean;
}

/** Reads an address. What is odd in it is left out. */
export function readTrySearch(search: Record<string, unknown>): TrySearch {
  const ids = modelsOf(typeof search.model === "string" ? search.model : "");
  return { model: ids.join() || undefined, camera: search.camera === true || undefined };
}

export function modelsOf(text: string | undefined): string[] {
  return [...new Set((text ?? "").split(",").filter((id) => ID.test(id)))].slice(0, MOST_MODELS);
}
