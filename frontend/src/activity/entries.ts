import type { Activity } from "../api/types";

/** Where the work is looked at, decided or undone; null where it has no page of its own. */
export function pageOf({ kind, id, project }: Pick<Activity, "kind" | "id" | "project">): string | null {
  if (kind === "training") return `/projects/${project}/trainings/${id}`;
  if (kind === "import") return `/projects/${project}/import/${id}`;
  return null;
}

/** The newest work worth a glance: an estimate that was given up as the form changed is none. */
export function newest(entries: readonly Activity[], count: number): Activity[] {
  return entries.filter(({ kind, state }) => kind !== "preflight" || state !== "cancelled").slice(0, count);
}
