import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, send } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { Task } from "../api/types";

export type ModelSummary = components["schemas"]["ModelSummary"];

/** Models of a project, the newest first; with a snapshot only those that were trained on it. */
export function useModels(project: string, snapshot?: string) {
  return useQuery({
    queryKey: [...keys.models(project), snapshot ?? ""],
    queryFn: async () => {
      const { data } = await api.GET("/api/v1/models/", {
        params: { query: { project, page_size: 100, ...(snapshot ? { snapshot } : {}) } },
      });
      return data?.results ?? [];
    },
  });
}

interface Page {
  next: string | null;
  results: ModelSummary[];
}

/** As `useModels`, page after page: a project may have a thousand. */
export function useModelPages(project: string) {
  return useInfiniteQuery({
    queryKey: [...keys.models(project), "pages"],
    initialPageParam: `/api/v1/models/?project=${project}&page_size=50`,
    queryFn: ({ pageParam }) => send<Page>("GET", pageParam),
    getNextPageParam: ({ next }) => next,
  });
}

/** Models that anybody may use, those of this project too. */
export function usePublicPages(project: string, task: Task | undefined) {
  return useInfiniteQuery({
    queryKey: [...keys.models(project), "public pages", task],
    enabled: task !== undefined,
    initialPageParam: `/api/v1/models/?visibility=public&task=${task}&page_size=50`,
    queryFn: ({ pageParam }) => send<Page>("GET", pageParam),
    getNextPageParam: ({ next }) => next,
  });
}

type Schemas = components["schemas"];
export type Metrics =
  | Schemas["ClassificationMetrics"]
  | Schemas["MultilabelMetrics"]
  | Schemas["DetectionMetrics"];
export type Model = Omit<Schemas["Model"], "metrics"> & { metrics: Metrics };
export type PredictionAnswer = components["schemas"]["PredictionAnswer"];
export type Prediction = components["schemas"]["Prediction"];

export function useModel(project: string, id: string | null) {
  return useQuery({
    queryKey: [...keys.models(project), "one", id],
    enabled: id !== null,
    queryFn: async (): Promise<Model> => {
      const { data } = await api.GET("/api/v1/models/{id}/", { params: { path: { id: id ?? "" } } });
      return data as unknown as Model;
    },
  });
}

/** What a model says of one file. */
export async function predict(
  model: string,
  file: File,
  threshold: number | null,
): Promise<PredictionAnswer> {
  const form = new FormData();
  form.append("files", file);
  const query = threshold === null ? "" : `?threshold=${threshold}`;
  return send<PredictionAnswer>("POST", `/api/v1/models/${model}/predict/${query}`, form);
}
