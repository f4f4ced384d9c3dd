import { t } from "@lingui/core/macro";
import { useQuery } from "@tanstack/react-query";
import { api, send } from "../api/client";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import type { Dataset, Job, Snapshot } from "../api/types";
import { queryClient } from "../app/queries";
import { undoable } from "../history/changes";
import { undo } from "../history/history";
import { tellDone } from "../history/tell";

const json = { "Content-Type": "application/json" };

async function refresh(project: string): Promise<void> {
  await queryClient.invalidateQueries({ queryKey: keys.project(project) });
}

export async function addDataset(project: string, name: string): Promise<void> {
  const body = { project, name, description: "" };
  await undoable(project, t`New dataset ${name}`, { method: "POST", address: "/api/v1/datasets/", body });
}

export type DatasetChange = Pick<Dataset, "name" | "description" | "near_duplicates">;

export async function changeDataset(project: string, id: string, body: DatasetChange): Promise<void> {
  const address = `/api/v1/datasets/${id}/`;
  await undoable(project, t`Settings of ${body.name}`, { method: "PATCH", address, body });
}

export async function deleteDataset(project: string, { id, name }: Dataset): Promise<void> {
  const title = t`Delete ${name}`;
  const { change } = await undoable(project, title, { method: "DELETE", address: `/api/v1/datasets/${id}/` });
  const back = change ? { undo: () => undo(project) } : {};
  tellDone({ title: t`Deleted`, message: name, undoWord: t`Undo`, ...back });
}

export function useSnapshots(project: string, dataset: string) {
  return useQuery({
    queryKey: [...keys.datasets(project), dataset, "snapshots"],
    queryFn: async (): Promise<Snapshot[]> => {
      const { data } = await api.GET("/api/v1/datasets/{id}/snapshots/", {
        params: { path: { id: dataset } },
      });
      return (data as { results?: Snapshot[] } | undefined)?.results ?? [];
    },
  });
}

export async function takeSnapshot(project: string, dataset: string): Promise<void> {
  await send("POST", `/api/v1/datasets/${dataset}/snapshots/`, "{}", { ...json, "Idempotency-Key": uuid() });
  await refresh(project);
}

export async function exportDataset(dataset: string, format: string): Promise<Job> {
  const job = await send<Job>(
    "POST",
    `/api/v1/datasets/${dataset}/exports/`,
    JSON.stringify({ format }),
    json,
  );
  await queryClient.invalidateQueries({ queryKey: ["activity"] });
  return job;
}

/** A piece of background work, asked for again until it has ended. */
export function useJob(project: string, id: string | null) {
  return useQuery({
    queryKey: [...keys.project(project), "jobs", id],
    enabled: id !== null,
    queryFn: () => send<Job>("GET", `/api/v1/jobs/${id}/`),
    refetchInterval: ({ state }) =>
      state.data && !["queued", "running"].includes(state.data.state) ? false : 1500,
  });
}
