import { createStore, del, entries, set, type UseStore } from "idb-keyval";
import { owner } from "../api/owner";
import { sentByOtherTabs } from "./tabs";
import type { Item } from "./uploads";

/** The files that are still to be sent, in this browser, so that a reload or a crash loses none. */
let store: UseStore | null = null;
const here = new Map<string, File>();

/** A browser copies what it keeps: a file of this size or more is remembered, and asked for again. */
export const REMEMBERED_BYTES = 4 * 2 ** 30;
/** Copying a larger one takes a while, in which the page may be reloaded. */
const QUICK_BYTES = 64 * 2 ** 20;

interface Kept {
  item: Item;
  file: File | null;
  user: number | null;
}

function opened(): UseStore | null {
  if (typeof indexedDB === "undefined") return null;
  store ??= createStore("studio-uploads", "files");
  return store;
}

export async function keepFile(item: Item, file: File): Promise<void> {
  here.set(item.id, file);
  const place = opened();
  if (!place) return;
  const keep = (kept: File | null) =>
    set(item.id, { item, file: kept, user: owner() } satisfies Kept, place).catch(() => undefined);
  // Without room for it the upload goes on; only a reload asks for the file again.
  if (file.size > QUICK_BYTES) await keep(null);
  if (file.size < REMEMBERED_BYTES && here.has(item.id)) await keep(file);
}

export function fileOf(id: string): File | undefined {
  return here.get(id);
}

export async function dropFile(id: string): Promise<void> {
  here.delete(id);
  await forgetFile(id);
}

/** What the studio has refused can be tried again on this page, and is not sent again by each reload. */
export async function forgetFile(id: string): Promise<void> {
  const place = opened();
  if (place) await del(id, place).catch(() => undefined);
}

/** What a tab of the same user did not send, and no other one is sending now. */
export async function keptItems(): Promise<Item[]> {
  const place = opened();
  if (!place) return [];
  const all = await entries<string, Kept>(place).catch(() => []);
  const mine = all.filter(([, { user }]) => user === owner());
  if (mine.length === 0) return [];
  const elsewhere = await sentByOtherTabs();
  const found = mine.filter(([id]) => !elsewhere.has(id));
  for (const [id, { file }] of found) if (file) here.set(id, file);
  return found.map(([, { item, file }]) => ({ ...item, state: file ? "waiting" : "interrupted", sent: 0 }));
}
