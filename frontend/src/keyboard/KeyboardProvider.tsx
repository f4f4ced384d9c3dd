import { type ReactNode, useEffect } from "react";
import { isWriting, pressed, presses } from "./keys";
import { actionFor, isMeant, useRegistry } from "./registry";
import { Sheet } from "./Sheet";

/** One listener for every key of the studio, so that two actions never answer one key. */
export function KeyboardProvider({ children }: { children: ReactNode }) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const { active, own } = useRegistry.getState();
      const action = actionFor(pressed(event), active, own);
      const isDialogOpen = document.querySelector("[aria-modal=true]") !== null;
      if (!action || !isMeant(action, isWriting(event.target), isDialogOpen)) return;
      if (presses(event)) return;
      if (action.run() !== false) event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      {children}
      <Sheet />
    </>
  );
}
