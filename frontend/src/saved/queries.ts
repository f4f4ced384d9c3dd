import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client";
import { keys } from "../api/keys";
import { queryClient } from "../app/queries";
import type { Filter } from "../gallery/filter";
import { asQuery, type SavedFilter } from "./query";

const MOST = 200;
const keyOf = (project: string) => [...keys.project(project), "saved-filters"] as const;

/** One's own filters of the project, and those that its members share. */
export function useSavedFilters(project: string) {
  return useQuery({
    queryKey: keyOf(project),
    queryFn: async (): Promise<SavedFilter[]> => {
      const { data } = await api.GET("/api/v1/projects/{project_id}/saved-filters/", {
        params: { path: { project_id: project }, query: { page_size: MOST } },
      });
      return data?.results ?? [];
    },
    staleTime: 30_000,
  });
}

const refresh = (project: string) => queryClient.invalidateQueries({ queryKey: keyOf(project) });

export async function saveFilter(
  project: string,
  name: string,
  filter: Filter,
  isShared: boolean,
): Promise<void> {
  await api.POST("/api/v1/projects/{project_id}/saved-filters/", {
    params: { path: { project_id: project } },
    body: { name, query: asQuery(filter), is_shared: isShared },
  });
  await refresh(project);
}

export async function changeFilter(
  project: string,
  id: string,
  change: { name?: string; is_shared?: boolean; filter?: Filter },
): Promise<void> {
  const { filter, ...rest } = change;
  await api.PATCH("/api/v1/projects/{project_id}/saved-filters/{id}/", {
    params: { path: { project_id: project, id } },
    body: { ...rest, ...(filter ? { query: asQuery(filter) } : {}) },
  });
  await refresh(project);
}

export async function deleteFilter(project: string, id: string): Promise<void> {
  await api.DELETE("/api/v1/projects/{project_id}/saved-filters/{id}/", {
    params: { path: { project_id: project, id } },
  });
  await refresh(project);
}
