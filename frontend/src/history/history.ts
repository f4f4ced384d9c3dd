import { create } from "zustand";
import { owner, whenOwnerChanges } from "../api/owner";

/** Something a person did, as data, so that it can be taken back after a reload too. */
export interface Step {
  title: string;
  project: string;
  /** What goes back, and what does it again: names of registered actions with what they need. */
  undo: Action;
  redo: Action;
  /** Steps with the same key that follow each other closely are taken back together. */
  merges?: string;
  at?: number;
}

export interface Action {
  kind: string;
  payload: unknown;
}

/** Does an action. What it answers replaces the action of the other direction: an undo on the server can be undone itself. */
type Performer = (payload: unknown) => Promise<Action | undefined>;

interface History {
  past: Step[];
  future: Step[];
  isBusy: boolean;
}

/** Somebody else has changed since what a step did: it is forgotten, so that the one before can be taken back. */
export class NothingLeft extends Error {}

const LONGEST = 100;
const place = () => `studio.history.${owner()}`;
const performers = new Map<string, Performer>();

function kept(): Pick<History, "past" | "future"> {
  try {
    const found = JSON.parse(globalThis.sessionStorage?.getItem(place()) ?? "null") as Pick<
      History,
      "past" | "future"
    > | null;
    return found ?? { past: [], future: [] };
  } catch {
    return { past: [], future: [] };
  }
}

export const useHistory = create<History>(() => ({ past: [], future: [], isBusy: false }));

whenOwnerChanges(() => useHistory.setState(kept()));

useHistory.subscribe(({ past, future }) => {
  try {
    globalThis.sessionStorage?.setItem(place(), JSON.stringify({ past, future }));
  } catch {
    // A full or forbidden storage costs the undo after a reload, nothing else.
  }
});

export function performs<Payload>(
  kind: string,
  performer: (payload: Payload) => Promise<Action | undefined>,
): void {
  performers.set(kind, performer as Performer);
}

export function did(step: Step): void {
  useHistory.setState(({ past }) => ({ past: [...past, step].slice(-LONGEST), future: [] }));
}

/** The last step, where a new one with this key goes on with it: nothing was done or taken back in between. */
export function continued(merges: string, within: number): Step | undefined {
  const { past, future } = useHistory.getState();
  const last = past.at(-1);
  const isClose = last?.merges === merges && Date.now() - (last.at ?? 0) < within;
  return isClose && future.length === 0 ? last : undefined;
}

/** Puts one step in the place of the last. */
export function amended(step: Step): void {
  useHistory.setState(({ past }) => ({ past: [...past.slice(0, -1), step] }));
}

export const undo = (project: string) => move(project, "past", "undo");
export const redo = (project: string) => move(project, "future", "redo");

async function move(
  project: string,
  from: "past" | "future",
  way: "undo" | "redo",
): Promise<Step | undefined> {
  const state = useHistory.getState();
  const step = state[from].findLast((one) => one.project === project);
  const performer = step && performers.get(step[way].kind);
  if (!step || !performer || state.isBusy) return undefined;
  useHistory.setState({ isBusy: true });
  try {
    const answer = await performer(step[way].payload);
    const other = way === "undo" ? "redo" : "undo";
    const moved = answer ? { ...step, [other]: answer } : step;
    const to = from === "past" ? "future" : "past";
    useHistory.setState(
      (now) =>
        ({ [from]: now[from].filter((one) => one !== step), [to]: [...now[to], moved] }) as Partial<History>,
    );
    return moved;
  } catch (problem) {
    if (problem instanceof NothingLeft)
      useHistory.setState((now) => ({ [from]: now[from].filter((one) => one !== step) }) as Partial<History>);
    throw problem;
  } finally {
    useHistory.setState({ isBusy: false });
  }
}
