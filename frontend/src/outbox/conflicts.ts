/** The revision that a conflict's answer names, to put one's own change on top of it. */
export function revisionOf(answer: unknown): number | null {
  if (typeof answer !== "object" || answer === null) return null;
  const holder = answer as { revision?: unknown; current?: { revision?: unknown } };
  const revision = holder.revision ?? holder.current?.revision;
  return typeof revision === "number" ? revision : null;
}
