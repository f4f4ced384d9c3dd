import type { AnyRouter } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { HeldKeys, isLeaving } from "./held";
import { isWriting, pressed, presses } from "./keys";
import { actionFor, isMeant, useRegistry } from "./registry";
import { Sheet } from "./Sheet";

/** One listener for every key of the studio, so that two actions never answer one key. */
export function KeyboardProvider({ router, children }: { router: AnyRouter; children: ReactNode }) {
  useEffect(() => {
    const held = new HeldKeys<KeyboardEvent>();
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      if (isLeaving(router) && !event.repeat && !isWriting(event.target) && !presses(event)) held.hold(event);
      else act(event);
    };
    // A page gives keys to its actions when it is on the screen.
    const stop = router.subscribe("onRendered", () =>
      requestAnimationFrame(() => held.release((event) => isRecent(event) && act(event))),
    );
    window.addEventListener("keydown", onKey);
    return () => {
      stop();
      window.removeEventListener("keydown", onKey);
    };
  }, [router]);
  return (
    <>
      {children}
      <Sheet />
    </>
  );
}

/** A page that came only after so long is another matter than the one that the key was meant for. */
const isRecent = ({ timeStamp }: KeyboardEvent) => performance.now() - timeStamp < 5000;

function act(event: KeyboardEvent): void {
  const { active, own } = useRegistry.getState();
  const action = actionFor(pressed(event), active, own);
  const isDialogOpen = document.querySelector("[aria-modal=true]") !== null;
  if (!action || !isMeant(action, isWriting(event.target), isDialogOpen)) return;
  if (presses(event)) return;
  if (action.run() !== false) event.preventDefault();
}
