import { useEffect, useRef } from "react";
import { register, type Shortcut } from "./registry";

/** Gives keys to an action for as long as the component is on the page. */
export function useShortcut(
  shortcut: Omit<Shortcut, "keys"> & { keys: string | string[]; disabled?: boolean },
): void {
  const { id, scope, title, inFields, hidden, disabled } = shortcut;
  const keys = typeof shortcut.keys === "string" ? shortcut.keys : shortcut.keys.join(" ");
  const run = useRef(shortcut.run);
  run.current = shortcut.run;
  useEffect(() => {
    if (disabled) return undefined;
    return register({ id, scope, title, keys: keys.split(" "), run: () => run.current(), inFields, hidden });
  }, [id, scope, title, keys, inFields, hidden, disabled]);
}
