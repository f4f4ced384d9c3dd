import type { components } from "../api/schema";
import { type Filter, readFilter } from "../gallery/filter";

export type SavedFilter = components["schemas"]["SavedFilter"];
type SavedQuery = components["schemas"]["SavedQueryRequest"];

/** What the studio keeps of a filter: not how large the tiles are, nor how it was shuffled. */
export function asQuery({ size: _, seed: __, ...filter }: Filter): SavedQuery {
  return filter as SavedQuery;
}

/** The filter of the address. What a later version of the studio saved, and this page does not know, is left out. */
export function asFilter(query: SavedFilter["query"]): Filter {
  const filter = readFilter(query as Record<string, unknown>);
  return filter.ordering === "random" ? { ...filter, seed: 1 } : filter;
}

/** Whether a saved filter is the one that the gallery shows. */
export function isShown(saved: Pick<SavedFilter, "query">, filter: Filter): boolean {
  return signature(asFilter(saved.query)) === signature(filter);
}

function signature(filter: Filter): string {
  const query = asQuery(filter);
  const entries = Object.entries({ ...query, ordering: query.ordering ?? "-id" })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, Array.isArray(value) ? value.toSorted() : value]);
  return JSON.stringify(entries.toSorted());
}
