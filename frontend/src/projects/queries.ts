import { queryOptions, useMutation, useQuery } from "@tanstack/react-query";
import { api } from "../api/client";
import { keys } from "../api/keys";
import type { Dataset, Label, Project, Statistics, Task } from "../api/types";
import { queryClient } from "../app/queries";
import { undoChange } from "../history/changes";

const MOST = 500;

export function useProjects() {
  return useQuery({
    queryKey: keys.projects,
    queryFn: async (): Promise<Project[]> => {
      const { data } = await api.GET("/api/v1/projects/", {
        params: { query: { page_size: MOST, ordering: "-id" } },
      });
      return data?.results ?? [];
    },
  });
}

const projectQuery = (project: string) =>
  queryOptions({
    queryKey: keys.project(project),
    queryFn: async (): Promise<Project> => {
      const { data } = await api.GET("/api/v1/projects/{id}/", { params: { path: { id: project } } });
      return data as Project;
    },
  });

export const useProject = (project: string) => useQuery(projectQuery(project));

/** What a project is called; empty when nobody answers. */
export async function nameOfProject(project: string): Promise<string> {
  const found = await queryClient.ensureQueryData(projectQuery(project)).catch(() => null);
  return found?.name ?? "";
}

/** Whether the person may change what is in the project: viewers only look. */
export function useMayEdit(project: string): boolean {
  const { data } = useProject(project);
  return data !== undefined && data.role !== "viewer";
}

export function useLabels(project: string) {
  return useQuery({
    queryKey: keys.labels(project),
    queryFn: async (): Promise<Label[]> => {
      const { data } = await api.GET("/api/v1/projects/{project_id}/labels/", {
        params: { path: { project_id: project }, query: { page_size: MOST } },
      });
      return data?.results ?? [];
    },
    staleTime: 60_000,
  });
}

const datasetsOf = (project: string) =>
  queryOptions({
    queryKey: keys.datasets(project),
    queryFn: async (): Promise<Dataset[]> => {
      const { data } = await api.GET("/api/v1/datasets/", {
        params: { query: { project, page_size: MOST, ordering: "id" } },
      });
      return data?.results ?? [];
    },
  });

export const useDatasets = (project: string) => useQuery(datasetsOf(project));

/** The first dataset of a project; one with this name is made where there is none. */
export async function firstDataset(project: string, name: string): Promise<string> {
  const query = datasetsOf(project);
  // What is known is enough, also where the studio cannot be reached now.
  const known = queryClient.getQueryData(query.queryKey)?.[0];
  const first = known ?? (await queryClient.fetchQuery({ ...query, staleTime: 0 }))[0];
  if (first) return first.id;
  const { data } = await api.POST("/api/v1/datasets/", { body: { project, name, description: "" } });
  await queryClient.invalidateQueries({ queryKey: keys.project(project) });
  return (data as Dataset).id;
}

export function useStatistics(project: string, dataset: string | undefined) {
  return useQuery({
    queryKey: keys.statistics(project, dataset ?? ""),
    enabled: dataset !== undefined,
    queryFn: async (): Promise<Statistics> => {
      const { data } = await api.GET("/api/v1/datasets/{id}/statistics/", {
        params: { path: { id: dataset ?? "" } },
      });
      return data as Statistics;
    },
  });
}

/** A project with its first dataset: a newcomer should not have to know what a dataset is before the first image. */
export function useCreateProject() {
  return useMutation({
    mutationFn: async ({
      name,
      task,
      dataset,
    }: {
      name: string;
      task: Task;
      dataset: string;
    }): Promise<Project> => {
      const { data } = await api.POST("/api/v1/projects/", { body: { name, task, description: "" } });
      const project = data as Project;
      await api.POST("/api/v1/datasets/", { body: { project: project.id, name: dataset, description: "" } });
      return project;
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keys.projects }),
  });
}

export function useDeleteProject() {
  return useMutation({
    mutationFn: async (project: string): Promise<string | null> => {
      const { response } = await api.DELETE("/api/v1/projects/{id}/", { params: { path: { id: project } } });
      return response.headers.get("X-Change");
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keys.projects }),
  });
}

/** Takes the change back that deleted a project. */
export async function restoreProject(change: string): Promise<void> {
  await undoChange(change);
  await queryClient.invalidateQueries({ queryKey: keys.projects });
}
