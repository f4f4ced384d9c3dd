import type { WorkState } from "./queries";

/** What the list shows, as it stands in the address. */
export interface ListSearch {
  state?: WorkState;
  by?: string;
  since?: Since;
  q?: string;
}

export const states = ["running", "queued", "succeeded", "failed", "cancelled"] as const;
export const sinces = ["day", "week", "month"] as const;
export type Since = (typeof sinces)[number];
const DAYS: Record<Since, number> = { day: 1, week: 7, month: 30 };

/** Reads an address. What is odd in it is left out. A number is what a router makes of digits. */
export function readListSearch(search: Record<string, unknown>): ListSearch {
  const text = (value: unknown) =>
    typeof value === "string" || typeof value === "number"
      ? String(value).slice(0, 100) || undefined
      : undefined;
  return {
    state: states.find((state) => state === search.state),
    by: text(search.by),
    since: sinces.find((since) => since === search.since),
    q: text(search.q),
  };
}

/** The filters of the HTTP interface; the hour is rounded, so that the same list is not asked for every second. */
export function filterOf({ state, by, since, q }: ListSearch, now: number): Record<string, string> {
  const hour = 3_600_000;
  return {
    ...(state ? { state } : {}),
    ...(by ? { created_by: by } : {}),
    ...(q ? { name: q } : {}),
    ...(since
      ? { created_after: new Date(Math.floor(now / hour) * hour - DAYS[since] * 24 * hour).toISOString() }
      : {}),
  };
}
