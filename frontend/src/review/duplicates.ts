import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, send } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { Job } from "../api/types";
import { queryClient } from "../app/queries";
import { did, performs } from "../history/history";
import { type DuplicateKind, queryOf } from "./kinds";

export type DuplicatesGroup = components["schemas"]["FoundDuplicatesGroup"];
export type Copy = components["schemas"]["DuplicateRow"];
export type DuplicatesSummary = components["schemas"]["DuplicatesSummary"];

const PAGE = 20;
const json = { "Content-Type": "application/json" };
const keyOf = (project: string) => [...keys.project(project), "duplicates"] as const;

/** How much is open of a dataset's last search, by kind. */
export function useDuplicatesSummary(project: string, dataset: string | undefined) {
  return useQuery({
    queryKey: [...keyOf(project), "summary", dataset],
    enabled: dataset !== undefined,
    queryFn: async (): Promise<DuplicatesSummary> => {
      const { data } = await api.GET("/api/v1/datasets/{id}/duplicates/", {
        params: { path: { id: dataset ?? "" } },
      });
      return data as DuplicatesSummary;
    },
  });
}

/** Groups of the last search, a page after the other. */
export function useDuplicateGroups(project: string, dataset: string | undefined, kind: DuplicateKind) {
  const query = new URLSearchParams({
    dataset: dataset ?? "",
    page_size: String(PAGE),
    ...queryOf(kind),
  });
  return useInfiniteQuery({
    queryKey: [...keyOf(project), "groups", query.toString()],
    enabled: dataset !== undefined,
    initialPageParam: `/api/v1/duplicate-groups/?${query}`,
    queryFn: ({ pageParam }) => send<{ next: string | null; results: DuplicatesGroup[] }>("GET", pageParam),
    getNextPageParam: ({ next }) => next,
  });
}

export async function searchDuplicates(
  dataset: string,
  isWholeProject: boolean,
  isByFeatures: boolean,
): Promise<void> {
  const body = JSON.stringify({ whole_project: isWholeProject, by_features: isByFeatures });
  await send<Job>("POST", `/api/v1/datasets/${dataset}/duplicates/`, body, json);
  await queryClient.invalidateQueries({ queryKey: ["activity"] });
}

export function refreshDuplicates(project: string): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: keyOf(project) });
}

async function decide(id: string, isKept: boolean): Promise<void> {
  await send("PATCH", `/api/v1/duplicate-groups/${id}/`, JSON.stringify({ is_kept: isKept }), json);
}

interface Payload {
  project: string;
  id: string;
  isKept: boolean;
}

performs<Payload>("duplicates", async ({ project, id, isKept }) => {
  await decide(id, isKept);
  await refreshDuplicates(project);
  return undefined;
});

/** All images of a group stay, or it is open again. */
export async function keepAll(project: string, group: DuplicatesGroup, title: string): Promise<void> {
  const isKept = !group.is_kept;
  await decide(group.id, isKept);
  const payload = { project, id: group.id };
  did({
    title,
    project,
    undo: { kind: "duplicates", payload: { ...payload, isKept: !isKept } },
    redo: { kind: "duplicates", payload: { ...payload, isKept } },
  });
  // Only now, so that it can be undone as soon as it is seen to be gone.
  await refreshDuplicates(project);
}
