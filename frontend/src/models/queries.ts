import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";

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
