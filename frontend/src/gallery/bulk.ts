import { request } from "../api/client";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import { queryClient } from "../app/queries";
import { type Action, did, performs } from "../history/history";

export interface BulkAnswer {
  changed: number;
  unchanged: number;
}

/** Sends a change and remembers how it is taken back: the studio names it in a header. */
export async function undoable<Answer>(
  project: string,
  title: string,
  address: string,
  body: unknown,
  method: "POST" | "PATCH" = "POST",
): Promise<Answer & { change: string | null }> {
  const response = await request(address, {
    method,
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "Idempotency-Key": uuid() },
  });
  const change = response.headers.get("X-Change");
  if (change) did({ title, project, undo: changeAction(project, change), redo: changeAction(project, "") });
  await queryClient.invalidateQueries({ queryKey: keys.project(project) });
  return { ...((await response.json()) as Answer), change };
}

/** Changes many images at once. */
export function bulk(project: string, title: string, change: Record<string, unknown>) {
  return undoable<BulkAnswer>(project, title, "/api/v1/images/bulk/", change);
}

function changeAction(project: string, change: string): Action {
  return { kind: "change", payload: { project, change } };
}

performs<{ project: string; change: string }>("change", async ({ project, change }) => {
  const response = await request(`/api/v1/changes/${change}/undo/`, {
    method: "POST",
    body: "{}",
    headers: { "Content-Type": "application/json" },
  });
  await queryClient.invalidateQueries({ queryKey: keys.project(project) });
  return changeAction(project, response.headers.get("X-Change") ?? "");
});
