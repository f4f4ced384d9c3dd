import { useQueries } from "@tanstack/react-query";
import { api } from "../api/client";
import { keys } from "../api/keys";
import type { Statistics } from "../api/types";
import { useDatasets } from "./queries";

export interface ProjectCounts {
  images: number;
  annotated: number;
  labels: { id: string; name: string; images: number }[];
}

/** What the datasets of a project hold together. */
export function useProjectCounts(project: string): ProjectCounts | undefined {
  const { data: datasets } = useDatasets(project);
  const answers = useQueries({
    queries: (datasets ?? []).map((dataset) => ({
      queryKey: keys.statistics(project, dataset.id),
      queryFn: async (): Promise<Statistics> => {
        const { data } = await api.GET("/api/v1/datasets/{id}/statistics/", {
          params: { path: { id: dataset.id } },
        });
        return data as Statistics;
      },
    })),
  });
  if (!datasets || answers.some(({ data }) => !data)) return undefined;
  return summed(answers.flatMap(({ data }) => (data ? [data] : [])));
}

export function summed(all: Statistics[]): ProjectCounts {
  const labels = new Map<string, { id: string; name: string; images: number }>();
  for (const { labels: rows } of all)
    for (const row of rows) {
      const before = labels.get(row.id)?.images ?? 0;
      labels.set(row.id, { id: row.id, name: row.name, images: before + row.images });
    }
  return {
    images: all.reduce((sum, { images }) => sum + images, 0),
    annotated: all.reduce((sum, { annotated }) => sum + annotated, 0),
    labels: [...labels.values()],
  };
}
