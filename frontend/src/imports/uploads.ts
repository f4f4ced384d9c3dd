import { create } from "zustand";
import { whenOwnerChanges } from "../api/owner";
import type { FileKind } from "./classify";

/** `interrupted`: its file has to be chosen again, since it is too large for the browser to keep. */
export type ItemState = "waiting" | "sending" | "done" | "duplicate" | "failed" | "interrupted";

/** A file on its way to the studio. */
export interface Item {
  id: string;
  project: string;
  dataset: string;
  label: string | null;
  /** Where the images were taken is removed from them. */
  strips?: boolean;
  path: string;
  size: number;
  /** When the file was last changed, as milliseconds since 1970. */
  modified?: number;
  kind: FileKind;
  state: ItemState;
  sent: number;
  problem?: string;
  /** The background job that reads it: an import, or frames of a video. */
  job?: string;
  /** Which files were given together: what becomes of them is undone together. */
  together?: string;
  /** The page it was given on: its dry run opens there by itself. */
  from?: string;
}

/** An archive that was sent: what is in it is looked at next. */
export type Arrived = Required<Pick<Item, "project" | "dataset" | "job" | "path">> & Pick<Item, "from">;

interface Uploads {
  items: Item[];
  arrived: Arrived | null;
  isOpen: boolean;
  isPaused: boolean;
}

export const useUploads = create<Uploads>(() => ({
  items: [],
  arrived: null,
  isOpen: false,
  isPaused: false,
}));

whenOwnerChanges(() => useUploads.setState({ items: [], isOpen: false }));

export function addItems(items: Item[]): void {
  useUploads.setState((state) => ({ items: [...state.items, ...items], isOpen: true }));
}

export function changeItems(ids: ReadonlySet<string>, change: Partial<Item>): void {
  useUploads.setState((state) => ({
    items: state.items.map((item) => (ids.has(item.id) ? { ...item, ...change } : item)),
  }));
}

/** What was in an archive is being imported: nothing of its upload waits for an answer any more. */
export function settleJob(job: string): void {
  const { items } = useUploads.getState();
  const ids = new Set(items.filter((item) => item.job === job).map(({ id }) => id));
  changeItems(ids, { job: undefined });
}

export function clearEnded(): void {
  useUploads.setState((state) => {
    const items = state.items.filter(({ state: now }) => now === "waiting" || now === "sending");
    return { items, isOpen: items.length > 0 };
  });
}

/** The upload that this file belongs to, which was interrupted and goes on with it. */
export function interruptedBy(
  file: Pick<File, "name" | "size" | "lastModified">,
  items: readonly Item[],
): Item | undefined {
  return items.find(
    ({ state, path, size, modified }) =>
      state === "interrupted" &&
      path.split("/").pop() === file.name &&
      size === file.size &&
      modified === file.lastModified,
  );
}

export interface Totals {
  count: number;
  ended: number;
  done: number;
  duplicates: number;
  failed: number;
  interrupted: number;
  bytes: number;
  sent: number;
}

export function totals(items: Item[]): Totals {
  const sum: Totals = {
    count: items.length,
    ended: 0,
    done: 0,
    duplicates: 0,
    failed: 0,
    interrupted: 0,
    bytes: 0,
    sent: 0,
  };
  for (const item of items) {
    sum.bytes += item.size;
    sum.sent += item.state === "done" || item.state === "duplicate" ? item.size : item.sent;
    sum.done += Number(item.state === "done");
    sum.duplicates += Number(item.state === "duplicate");
    sum.failed += Number(item.state === "failed");
    sum.interrupted += Number(item.state === "interrupted");
    sum.ended += Number(item.state !== "waiting" && item.state !== "sending");
  }
  return sum;
}
