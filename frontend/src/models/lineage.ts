import { useQuery } from "@tanstack/react-query";
import { send } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";

type Schemas = components["schemas"];
export type Lineage = Schemas["Lineage"];
export type LabelledBy = Schemas["LabelledBy"];

/** How many roll-outs and devices the page names; where there are more, it says so. */
export const MOST_NAMED = 20;

interface Page<Row> {
  next: string | null;
  results: Row[];
}

/** Where a model comes from. */
export function useLineage(project: string, model: string) {
  return useQuery({
    queryKey: [...keys.models(project), "lineage", model],
    queryFn: () => send<Lineage>("GET", `/api/v1/models/${model}/lineage/`),
  });
}

/** The roll-outs of a model in this project, the newest first. */
export function useRollOuts(project: string, model: string) {
  const query = new URLSearchParams({ project, model, page_size: String(MOST_NAMED), ordering: "-id" });
  return useQuery({
    queryKey: [...keys.devices(project), "of model", model],
    queryFn: () => send<Page<Schemas["Deployment"]>>("GET", `/api/v1/deployments/?${query}`),
  });
}

/** The devices of this project that say they run the model. */
export function useRunners(project: string, model: string) {
  const query = new URLSearchParams({ project, model, revoked: "false", page_size: String(MOST_NAMED) });
  return useQuery({
    queryKey: [...keys.devices(project), "that run", model],
    queryFn: () => send<Page<Schemas["Device"]>>("GET", `/api/v1/devices/?${query}`),
  });
}
