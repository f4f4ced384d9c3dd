import { createStore, del, entries, keys, set, setMany, type UseStore } from "idb-keyval";
import { owner } from "../api/owner";
import { sentByOtherTabs } from "./tabs";
import type { Item } from "./uploads";

/** The files that are still to be sent, in this browser, so that a reload or a crash loses none. */
let store: UseStore | null = null;
const here = new Map<string, File>();

/** A browser copies what it keeps: a file of this size or more is remembered, and asked for again. */
export const REMEMBERED_BYTES = 4 * 2 ** 30;

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

/** For this page, as long as it is open. */
export function holdFile(id: string, file: File): void {
  here.set(id, file);
}

/**
 * For the next one too, each until it is sent. What they are is noted at once, so that a reload asks for those that could not be
 * copied by then. They are copied one after the other: what is sent meanwhile needs no copy.
 */
export async function keepFiles(files: readonly { item: Item; file: File }[]): Promise<void> {
  const place = opened();
  if (!place) return;
  const kept = (item: Item, file: File | null): Kept => ({ item, file, user: owner() });
  await setMany(
    files.map(({ item }) => [item.id, kept(item, null)] as [string, Kept]),
    place,
  ).catch(() => undefined);
  for (const { item, file } of files) {
    if (file.size >= REMEMBERED_BYTES) continue;
    // Without room for it the upload goes on; only a reload asks for the file again.
    if (here.has(item.id)) await set(item.id, kept(item, file), place).catch(() => undefined);
    // Sent while it was copied.
    if (!here.has(item.id)) await forgetFile(item.id);
  }
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
  // What another tab has sent meanwhile is not kept any more.
  const still = new Set(await keptIds());
  const found = mine.filter(([id]) => still.has(id) && !elsewhere.has(id));
  for (const [id, { file }] of found) if (file) here.set(id, file);
  return found.map(([, { item, file }]) => ({ ...item, state: file ? "waiting" : "interrupted", sent: 0 }));
}

/** The ids of all files that are kept in this browser, whichever tab sends them. */
export async function keptIds(): Promise<string[]> {
  const place = opened();
  return place ? keys<string>(place).catch(() => []) : [];
}
