import type { QueryClient } from "@tanstack/react-query";

const LONGEST_MS = 5000;
const LOOK_EVERY_MS = 25;

const underWay = new Set<Promise<unknown>>();

/** Notes a change until the studio has answered it, and it can be taken back. */
export function making<Answer>(change: Promise<Answer>): Promise<Answer> {
  underWay.add(change);
  const forget = () => void underWay.delete(change);
  change.then(forget, forget);
  return change;
}

/**
 * Until the studio has answered what is being changed (for what has no undo, for a while): an undo is of the last thing that a person did, also
 * when they press its key before the answer is there. Without this it took back what they did before that.
 */
export async function whenMade(client: Pick<QueryClient, "isMutating">): Promise<void> {
  const end = Date.now() + LONGEST_MS;
  while (underWay.size > 0 || (client.isMutating() > 0 && Date.now() < end))
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}
