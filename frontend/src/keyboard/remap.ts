/** An action that keys can be given to, whether its page is open or not. */
export interface Action {
  id: string;
  /** Where it works; "everywhere" is in all of them. */
  page: string;
  title: string;
  keys: readonly string[];
  /** Belongs to a row of keys that are explained together, such as the arrows: it keeps its own. */
  isFixed?: boolean;
}

type Own = Record<string, string[]>;

/** Browsers keep these to themselves, or people lose work by them. */
const RESERVED = new Set([
  "Mod+W",
  "Mod+T",
  "Mod+N",
  "Mod+Shift+T",
  "Mod+Shift+N",
  "Mod+R",
  "Mod+Q",
  "Mod+L",
  "F5",
  "F11",
]);
const NOT_ALONE = new Set([
  "Control",
  "Shift",
  "Alt",
  "Meta",
  "AltGraph",
  "CapsLock",
  "Tab",
  "Dead",
  "Process",
]);

export function keysNow(action: Action, own: Own): readonly string[] {
  return own[action.id] ?? action.keys;
}

/** Whether a press may become a key of an action: no modifier alone, nothing that the browser keeps. */
export function isUsable(keys: string): boolean {
  const last = keys.split(/\+(?=.)/).at(-1) ?? "";
  return !NOT_ALONE.has(last) && !RESERVED.has(keys);
}

/** Other actions that have the key where this one works. */
export function rivals(actions: readonly Action[], own: Own, action: Action, keys: string): Action[] {
  return actions.filter(
    (other) =>
      other.id !== action.id &&
      !other.isFixed &&
      overlap(other, action) &&
      keysNow(other, own).includes(keys),
  );
}

/** All keys that more than one action of a place has. */
export function allRivals(actions: readonly Action[], own: Own): Map<string, Action[]> {
  const found = new Map<string, Action[]>();
  for (const action of actions) {
    if (action.isFixed) continue;
    const doubled = keysNow(action, own).flatMap((keys) => rivals(actions, own, action, keys));
    if (doubled.length > 0) found.set(action.id, [...new Set(doubled)]);
  }
  return found;
}

function overlap(one: Action, other: Action): boolean {
  return one.page === other.page || one.page === "everywhere" || other.page === "everywhere";
}

/** What changes when an action gets a key and no other action of its places keeps it. Null: as it was delivered. */
export function assigned(
  actions: readonly Action[],
  own: Own,
  action: Action,
  keys: string,
): Record<string, string[] | null> {
  const change: Record<string, string[] | null> = { [action.id]: asChange(action, [keys]) };
  for (const other of rivals(actions, own, action, keys))
    change[other.id] = asChange(
      other,
      keysNow(other, own).filter((one) => one !== keys),
    );
  return change;
}

function asChange(action: Action, keys: readonly string[]): string[] | null {
  return JSON.stringify(keys) === JSON.stringify(action.keys) ? null : [...keys];
}
