import type { Search } from "./queries";

/** The settings that a search varies, in the order of its space, of those that any of its trainings names. */
export function variedSettings({ space, runs }: Pick<Search, "space" | "runs">): string[] {
  return Object.keys(space).filter((name) =>
    runs.some(({ settings }) => settings !== null && name in settings),
  );
}

/** Places of trainings with a score, the best first; others have none. */
export function places(runs: Search["runs"]): Map<string, number> {
  const scored = runs.filter(({ score }) => score !== null);
  scored.sort((a, b) => (b.score ?? 0) - (a.score ?? 0));
  return new Map(scored.map(({ id }, place) => [id, place + 1]));
}
