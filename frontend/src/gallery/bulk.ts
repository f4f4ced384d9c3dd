import { send } from "../api/client";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import { queryClient } from "../app/queries";
import { type Action, did, performs } from "../history/history";

export interface BulkAnswer {
  changed: number;
  unchanged: number;
  change?: string | null;
}

/** Changes many images at once. What it did can be undone. */
export async function bulk(
  project: string,
  title: string,
  request: Record<string, unknown>,
): Promise<BulkAnswer> {
  const answer = await send<BulkAnswer>("POST", "/api/v1/images/bulk/", JSON.stringify(request), {
    "Content-Type": "application/json",
    "Idempotency-Key": uuid(),
  });
  if (answer.change)
    did({ title, project, undo: changeAction(project, answer.change), redo: changeAction(project, "") });
  await queryClient.invalidateQueries({ queryKey: keys.project(project) });
  return answer;
}

export function changeAction(project: string, change: string): Action {
  return { kind: "change", payload: { project, change } };
}

performs<{ project: string; change: string }>("change", async ({ project, change }) => {
  const answer = await send<{ change: string }>("POST", `/api/v1/changes/${change}/undo/`, "{}", {
    "Content-Type": "application/json",
  });
  await queryClient.invalidateQueries({ queryKey: keys.project(project) });
  return changeAction(project, answer.change);
});
