import type { components } from "../api/schema";

export type Current = components["schemas"]["CurrentAnnotations"];

/** What a conflict's answer says is there now. */
export function currentOf(answer: unknown): Current | null {
  if (typeof answer !== "object" || answer === null || !("current" in answer)) return null;
  return (answer as { current?: Current }).current ?? null;
}

/** The revision to put one's own change on top of. */
export function revisionOf(answer: unknown): number | null {
  return currentOf(answer)?.revision ?? null;
}

/** Labels with how many there are of each, as both versions of a conflict are shown: "2 × dent, 1 × scratch". */
export function summary(names: readonly string[], nothing = "–"): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${count} × ${name}` : name)).join(", ") || nothing;
}

/** The image that a change of annotations is about. */
export function imageOf(subject: string): string {
  return subject.slice(subject.indexOf(":") + 1);
}
