/**
 * Whose work this browser keeps. Several people may use one: what one of them left (changes that wait, files on their
 * way, steps that can be taken back) is kept for them, and is neither shown nor sent while another is logged in.
 */
let current: number | null = null;
const listeners: ((user: number) => void)[] = [];

export function owner(): number | null {
  return current;
}

/** Called with every session that is read. After a logout everything stays as it is, until somebody else logs in. */
export function noteOwner(user: number | null): void {
  if (user === null || user === current) return;
  current = user;
  for (const listener of listeners) listener(user);
}

/** At once when somebody is known, and whenever that is somebody else. */
export function whenOwnerChanges(listener: (user: number) => void): void {
  listeners.push(listener);
  if (current !== null) listener(current);
}
