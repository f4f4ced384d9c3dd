import { api, send } from "../api/client";
import { keys } from "../api/keys";
import type { Label } from "../api/types";
import { queryClient } from "../app/queries";

async function refresh(project: string): Promise<void> {
  await queryClient.invalidateQueries({ queryKey: keys.project(project) });
}

export async function addLabel(project: string, name: string): Promise<void> {
  await api.POST("/api/v1/projects/{project_id}/labels/", {
    params: { path: { project_id: project } },
    body: { name },
  });
  await refresh(project);
}

export async function changeLabel(
  project: string,
  id: string,
  change: Partial<Pick<Label, "name" | "color">> & Record<string, unknown>,
): Promise<void> {
  await send("PATCH", `/api/v1/projects/${project}/labels/${id}/`, JSON.stringify(change), {
    "Content-Type": "application/json",
  });
  await refresh(project);
}

export async function reorderLabels(project: string, labels: string[]): Promise<void> {
  queryClient.setQueryData<Label[]>(keys.labels(project), (now) =>
    now?.toSorted((one, other) => labels.indexOf(one.id) - labels.indexOf(other.id)),
  );
  await send("POST", `/api/v1/projects/${project}/labels/reorder/`, JSON.stringify({ labels }), {
    "Content-Type": "application/json",
  });
  await refresh(project);
}

export async function mergeLabel(project: string, id: string, into: string): Promise<void> {
  await send("POST", `/api/v1/projects/${project}/labels/${id}/merge/`, JSON.stringify({ into }), {
    "Content-Type": "application/json",
  });
  await refresh(project);
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
  await send("DELETE", `/api/v1/projects/${project}/labels/${id}/?${query}`);
  await refresh(project);
}
