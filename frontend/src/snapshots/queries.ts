import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, send } from "../api/client";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { Job, Snapshot } from "../api/types";
import { queryClient } from "../app/queries";
import type { Difference, SnapshotSearch } from "./search";

export type SnapshotImage = components["schemas"]["SnapshotImage"];
export type Comparison = components["schemas"]["SnapshotComparison"];

const PAGE = 60;
const json = { "Content-Type": "application/json" };
const keyOf = (project: string, snapshot: string) =>
  [...keys.project(project), "snapshots", snapshot] as const;

export function useSnapshot(project: string, id: string) {
  return useQuery({
    queryKey: [...keyOf(project, id), "one"],
    queryFn: async (): Promise<Snapshot> => {
      const { data } = await api.GET("/api/v1/snapshots/{id}/", { params: { path: { id } } });
      return data as Snapshot;
    },
  });
}

/** All snapshots of the project, the newest first. */
export function useProjectSnapshots(project: string) {
  return useQuery({
    queryKey: [...keys.project(project), "snapshots"],
    queryFn: async (): Promise<Snapshot[]> => {
      const { data } = await api.GET("/api/v1/snapshots/", {
        params: { query: { project, page_size: 200 } },
      });
      return data?.results ?? [];
    },
  });
}

export async function changeSnapshot(
  project: string,
  id: string,
  change: { name?: string; notes?: string },
): Promise<void> {
  await api.PATCH("/api/v1/snapshots/{id}/", { params: { path: { id } }, body: change });
  await queryClient.invalidateQueries({ queryKey: keys.project(project) });
}

export async function exportSnapshot(id: string, format: string): Promise<Job> {
  const job = await send<Job>("POST", `/api/v1/snapshots/${id}/exports/`, JSON.stringify({ format }), {
    ...json,
    "Idempotency-Key": uuid(),
  });
  await queryClient.invalidateQueries({ queryKey: ["activity"] });
  return job;
}

interface Page {
  next: string | null;
  results: SnapshotImage[];
}

function usePages(project: string, snapshot: string, address: string, isOn: boolean) {
  return useInfiniteQuery({
    queryKey: [...keyOf(project, snapshot), address],
    enabled: isOn,
    initialPageParam: address,
    queryFn: ({ pageParam }) => send<Page>("GET", pageParam),
    getNextPageParam: ({ next }) => next,
    // Nothing in a snapshot changes.
    staleTime: 300_000,
  });
}

export function useSnapshotImages(
  project: string,
  id: string,
  { split, label }: SnapshotSearch,
  isOn: boolean,
) {
  const query = new URLSearchParams({ page_size: String(PAGE) });
  if (split) query.set("split", split);
  if (label) query.set("label", label);
  return usePages(project, id, `/api/v1/snapshots/${id}/images/?${query}`, isOn);
}

export function useComparison(project: string, id: string, other: string | undefined) {
  return useQuery({
    queryKey: [...keyOf(project, id), "compare", other],
    enabled: other !== undefined,
    queryFn: () => send<Comparison>("GET", `/api/v1/snapshots/${id}/compare/?with=${other}`),
    staleTime: 300_000,
  });
}

export function useComparedImages(project: string, id: string, other: string, difference: Difference) {
  const query = new URLSearchParams({ with: other, difference, page_size: String(PAGE) });
  return usePages(project, id, `/api/v1/snapshots/${id}/compare/images/?${query}`, true);
}
