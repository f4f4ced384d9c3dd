import { create } from "zustand";
import type { Chosen } from "./bulk";
import { type Filter, toQuery } from "./filter";

/** Which images are chosen: some by their ids, or all that a filter leaves but a few. */
export interface Selection {
  ids: ReadonlySet<string>;
  /** Set: everything of this filter is chosen, but `ids`. */
  all: Filter | null;
  /** Where a range begins that Shift ends. */
  anchor: number | null;
}

const NOTHING: Selection = { ids: new Set(), all: null, anchor: null };

export const useSelection = create<Selection>(() => NOTHING);

export const clearSelection = () => useSelection.setState(NOTHING);

export function isChosen({ ids, all }: Selection, id: string): boolean {
  return all ? !ids.has(id) : ids.has(id);
}

export function countOf({ ids, all }: Selection, total: number): number {
  return all ? Math.max(0, total - ids.size) : ids.size;
}

export function toggle(id: string, index: number): void {
  useSelection.setState((state) => {
    const ids = new Set(state.ids);
    if (!ids.delete(id)) ids.add(id);
    return { ids, anchor: index };
  });
}

/** Chooses all of these, for a range. */
export function choose(chosen: readonly string[], anchor: number): void {
  useSelection.setState((state) => {
    const ids = new Set(state.ids);
    for (const id of chosen)
      if (state.all) ids.delete(id);
      else ids.add(id);
    return { ids, anchor };
  });
}

export function chooseAll(filter: Filter): void {
  useSelection.setState({ ids: new Set(), all: filter, anchor: null });
}

/** What a bulk request says about the images. */
export function asRequest({ ids, all }: Selection, project: string): Chosen {
  if (!all) return { images: [...ids] };
  const filter: Record<string, unknown> = {};
  const query = toQuery(project, all);
  query.delete("ordering");
  query.delete("seed");
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    filter[name] = name.endsWith("label") ? values : values[0];
  }
  return { filter: filter as Chosen["filter"], except: [...ids] };
}
