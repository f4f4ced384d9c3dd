import { create } from "zustand";

export interface Shortcut {
  /** Stays the same over versions: a user's own keys are kept under it. */
  id: string;
  /** The part of the studio that it belongs to, in the user's language. */
  scope: string;
  title: string;
  keys: string[];
  /** Answers false where there was nothing to do: the key then does what browsers do with it. */
  run: () => unknown;
  /** Works while one writes in a field too. */
  inFields?: boolean;
  /** Not in the sheet: one of a row of keys that another line explains. */
  hidden?: boolean;
}

interface Registry {
  active: Shortcut[];
  /** By action: the keys that its user gave it, which `preferences` keeps. */
  own: Record<string, string[]>;
  sheetIsOpen: boolean;
}

export const useRegistry = create<Registry>(() => ({ active: [], own: {}, sheetIsOpen: false }));

export function register(shortcut: Shortcut): () => void {
  useRegistry.setState((state) => ({ active: [...state.active, shortcut] }));
  return () =>
    useRegistry.setState((state) => ({ active: state.active.filter((other) => other !== shortcut) }));
}

export function keysOf(shortcut: Shortcut, own: Record<string, string[]>): string[] {
  return own[shortcut.id] ?? shortcut.keys;
}

/** The action of a key. What was registered last lies on top: a dialog's keys go before those of the page. */
export function actionFor(
  keys: string,
  active: Shortcut[],
  own: Record<string, string[]>,
): Shortcut | undefined {
  return active.findLast((shortcut) => keysOf(shortcut, own).includes(keys));
}

/** Keys that more than one action of a scope asks for. */
export function conflicts(active: Shortcut[], own: Record<string, string[]>): Map<string, Shortcut[]> {
  const byKey = new Map<string, Shortcut[]>();
  for (const shortcut of active)
    for (const key of keysOf(shortcut, own)) {
      const place = `${shortcut.scope}\n${key}`;
      byKey.set(place, [...(byKey.get(place) ?? []), shortcut]);
    }
  return new Map([...byKey].filter(([, shortcuts]) => new Set(shortcuts.map(({ id }) => id)).size > 1));
}

/** Whether a key is for the action: letters that are typed into a field are not, nor those typed while a dialog opens,
 * before its field has the focus. */
export function isMeant({ inFields }: Shortcut, isWriting: boolean, isDialogOpen: boolean): boolean {
  return inFields === true || !(isWriting || isDialogOpen);
}
