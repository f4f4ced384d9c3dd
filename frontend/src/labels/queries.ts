import { t } from "@lingui/core/macro";
import { keys } from "../api/keys";
import type { Label } from "../api/types";
import { queryClient } from "../app/queries";
import { undoable } from "../history/changes";

const addressOf = (project: string, id: string) => `/api/v1/projects/${project}/labels/${id}/`;

export async function addLabel(project: string, name: string): Promise<void> {
  const address = `/api/v1/projects/${project}/labels/`;
  await undoable(project, t`New label ${name}`, { method: "POST", address, body: { name } });
}

export async function changeLabel(
  project: string,
  id: string,
  change: Partial<Pick<Label, "name" | "color">> & Record<string, unknown>,
): Promise<void> {
  await undoable(project, t`Change of a label`, {
    method: "PATCH",
    address: addressOf(project, id),
    body: change,
  });
}

export async function reorderLabels(project: string, labels: string[]): Promise<void> {
  queryClient.setQueryData<Label[]>(keys.labels(project), (now) =>
    now?.toSorted((one, other) => labels.indexOf(one.id) - labels.indexOf(other.id)),
  );
  const address = `/api/v1/projects/${project}/labels/reorder/`;
  await undoable(project, t`Order of the labels`, { method: "POST", address, body: { labels } });
}

export async function mergeLabel(project: string, id: string, into: string): Promise<void> {
  const address = `/api/v1/projects/${project}/labels/${id}/merge/`;
  await undoable(project, t`Merge labels`, { method: "POST", address, body: { into } });
}

export type Fate = "unlabel" | "delete" | "move";

export async function deleteLabel(
  project: string,
  id: string,
  images: Fate | null,
  moveTo?: string,
): Promise<void> {
  const query = new URLSearchParams({
    ...(images ? { images } : {}),
    ...(moveTo ? { move_to: moveTo } : {}),
  });
  await undoable(project, t`Delete a label`, {
    method: "DELETE",
    address: `${addressOf(project, id)}?${query}`,
  });
}
