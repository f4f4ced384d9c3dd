import type { SplitName } from "../snapshots/search";

/** What is compared, as it stands in the address. */
export interface CompareSearch {
  /** Two to five models, with commas. */
  ids?: string;
  snapshot?: string;
  split?: SplitName;
}

export const MOST_MODELS = 5;
const splits = ["train", "validation", "test"] as const;
const ID = /^[0-9a-f-]{36}$/;

/** Reads an address. What is odd in it is left out. */
export function readCompareSearch(search: Record<string, unknown>): CompareSearch {
  const ids = idsOf(typeof search.ids === "string" ? search.ids : "");
  return {
    ids: ids.length > 0 ? ids.join() : undefined,
    snapshot: typeof search.snapshot === "string" && ID.test(search.snapshot) ? search.snapshot : undefined,
    split: splits.find((one) => one === search.split),
  };
}

export function idsOf(text: string | undefined): string[] {
  const ids = (text ?? "").split(",").filter((id) => ID.test(id));
  return [...new Set(ids)].slice(0, MOST_MODELS);
}
