import type { AnyRouter } from "@tanstack/react-router";

/** More than a person types while a page comes; the rest is a key that is held down. */
const MOST = 8;

/** Whether the router is on the way to another page, whose code or data is still loading: the old one is still shown. */
export function isLeaving(router: AnyRouter): boolean {
  const shown = router.state.resolvedLocation;
  if (!shown || shown.pathname === router.latestLocation.pathname) return false;
  const last = (location: typeof shown) => router.matchRoutes(location).at(-1)?.routeId;
  return last(shown) !== last(router.latestLocation);
}

/** Keys that are pressed while a page comes are for that page: they are kept until it is there. */
export class HeldKeys<Press> {
  private presses: Press[] = [];

  hold(press: Press): void {
    if (this.presses.length < MOST) this.presses.push(press);
  }

  release(act: (press: Press) => void): void {
    const presses = this.presses;
    this.presses = [];
    for (const press of presses) act(press);
  }
}
