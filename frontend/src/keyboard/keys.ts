/** A key press in words: "Mod+K", "Shift+ArrowLeft", "?", "7". Mod is Ctrl, or Command on a Mac. */
export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

export function pressed(press: KeyPress): string {
  const key = press.key === " " ? "Space" : press.key.length === 1 ? press.key.toUpperCase() : press.key;
  const parts: string[] = [];
  if (press.ctrlKey || press.metaKey) parts.push("Mod");
  if (press.altKey) parts.push("Alt");
  // Shift is part of what a sign is ("?"), and said only where it is not.
  if (press.shiftKey && (key.length > 1 || /[A-Z]/.test(key))) parts.push("Shift");
  return [...parts, key].join("+");
}

export function readable(
  keys: string,
  isMac = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? ""),
): string[] {
  const names: Record<string, string> = {
    Mod: isMac ? "⌘" : "Ctrl",
    ArrowLeft: "←",
    ArrowRight: "→",
    ArrowUp: "↑",
    ArrowDown: "↓",
    Escape: "Esc",
    Delete: "Del",
  };
  return keys.split(/\+(?=.)/).map((part) => names[part] ?? part);
}

/** Whether a key pressed here writes text. */
export function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
  if (!(target instanceof HTMLInputElement)) return false;
  return !["checkbox", "radio", "range", "button", "submit", "file", "color"].includes(target.type);
}

/** Whether the key presses what has the focus: Enter and Space a button, Enter a link. */
export function presses({ key, target }: Pick<KeyboardEvent, "key" | "target">): boolean {
  if (!(target instanceof Element)) return false;
  if (key === "Enter") return target.closest("button, a, summary, [role=menuitem]") !== null;
  return key === " " && target.closest("button, summary, [role=menuitem]") !== null;
}
