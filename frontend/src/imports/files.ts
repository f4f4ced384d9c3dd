import { createStore, del, entries, set, type UseStore } from "idb-keyval";
import { owner } from "../api/owner";
import type { Item } from "./uploads";

/** The files that are still to be sent, in this browser, so that a reload or a crash loses none. */
let store: UseStore | null = null;
const here = new Map<string, File>();

function opened(): UseStore | null {
  if (typeof indexedDB === "undefined") return null;
  store ??= createStore("studio-uploads", "files");
  return store;
}

export async function keepFile(item: Item, file: File): Promise<void> {
  here.set(item.id, file);
  const place = opened();
  // Without room for it the upload goes on; only a reload would ask for the file again.
  if (place) await set(item.id, { item, file, user: owner() }, place).catch(() => undefined);
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

/** What a tab of the same user did not send. */
export async function keptItems(): Promise<Item[]> {
  const place = opened();
  if (!place) return [];
  const all = await entries<string, { item: Item; file: File; user: number | null }>(place).catch(() => []);
  const found = all.filter(([, { user }]) => user === owner());
  for (const [id, { file }] of found) here.set(id, file);
  return found.map(([, { item }]) => ({ ...item, state: "waiting", sent: 0 }) satisfies Item);
}
