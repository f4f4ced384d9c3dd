import { useQuery } from "@tanstack/react-query";
import { send } from "../api/client";
import { StudioError } from "../api/errors";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { Job } from "../api/types";
import { queryClient } from "../app/queries";
import type { SplitName } from "../snapshots/search";

export type Comparison = components["schemas"]["Comparison"];
export type ComparedModel = components["schemas"]["ComparedModel"];
export type Pair = components["schemas"]["ComparedPair"];
export type ShownDifference = components["schemas"]["ShownDifference"];

export interface Asked {
  ids: string[];
  snapshot?: string;
  split: SplitName;
}

const keyOf = (project: string, { ids, snapshot, split }: Asked) =>
  [...keys.models(project), "compare", ids.join(), snapshot ?? "", split] as const;

/** The comparison, or null when one of the models was not measured on these images yet. */
export function useModelComparison(project: string, asked: Asked) {
  return useQuery({
    queryKey: keyOf(project, asked),
    enabled: asked.ids.length > 1,
    queryFn: async (): Promise<Comparison | null> => {
      const query = new URLSearchParams({ ids: asked.ids.join(), split: asked.split });
      if (asked.snapshot) query.set("snapshot", asked.snapshot);
      try {
        return await send<Comparison>("GET", `/api/v1/models/compare/?${query}`);
      } catch (error) {
        if (error instanceof StudioError && error.code === "not_evaluated") return null;
        throw error;
      }
    },
  });
}

/** Measures, in the background, those of the models that were not measured on these images. */
export async function measure({ ids, snapshot, split }: Asked & { snapshot: string }): Promise<Job> {
  const job = await send<Job>("POST", "/api/v1/models/compare/", JSON.stringify({ ids, snapshot, split }), {
    "Content-Type": "application/json",
    "Idempotency-Key": uuid(),
  });
  await queryClient.invalidateQueries({ queryKey: ["activity"] });
  return job;
}

export async function refreshComparisons(project: string): Promise<void> {
  await queryClient.invalidateQueries({ queryKey: [...keys.models(project), "compare"] });
}
