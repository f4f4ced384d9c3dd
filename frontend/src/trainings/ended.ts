import type { StudioEvent } from "../api/events";

export interface Ended {
  id: string;
  project: string;
  name: string;
  state: "succeeded" | "failed";
}

/** The end of one's own training, told once: messages may be heard twice. What one cancelled oneself is no news. */
export function endOf(event: StudioEvent, username: string, told: Set<string>): Ended | null {
  if (event.kind !== "training" || event.action === "deleted" || event.created_by !== username) return null;
  if (event.state !== "succeeded" && event.state !== "failed") {
    // It may be running again, as after a machine was lost.
    told.delete(event.id);
    return null;
  }
  if (told.has(event.id)) return null;
  told.add(event.id);
  return { id: event.id, project: event.project, name: event.name ?? "", state: event.state };
}
