import { useQuery } from "@tanstack/react-query";
import { api, send } from "../api/client";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { Job } from "../api/types";
import { queryClient } from "../app/queries";
import { undoable } from "../history/changes";
import type { ModelExport } from "./advice";
import type { Model, ModelSummary } from "./queries";

type Schemas = components["schemas"];
export type StageName = Schemas["StageName"];
export type StageChange = Schemas["StageChange"];
export type Uses = Schemas["Uses"];
export type PublishedFile = Schemas["PublishedFile"];

const json = () => ({ "Content-Type": "application/json", "Idempotency-Key": uuid() });
const keyOf = (project: string, id: string) => [...keys.models(project), "files", id] as const;

export function refreshModels(project: string): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: keys.models(project) });
}

/** What it can be exported as, with what was measured of each file that is there. */
export function useExports(project: string, model: string) {
  return useQuery({
    queryKey: [...keyOf(project, model), "exports"],
    queryFn: () => send<ModelExport[]>("GET", `/api/v1/models/${model}/exports/`),
  });
}

/** Its stages, the last move first. */
export function useStages(project: string, model: string) {
  return useQuery({
    queryKey: [...keyOf(project, model), "stages"],
    queryFn: async () => {
      const { results } = await send<{ results: StageChange[] }>(
        "GET",
        `/api/v1/models/${model}/stages/?page_size=200`,
      );
      return [...results].sort((one, other) => other.id - one.id);
    },
  });
}

/** What would be in the way of deleting it. Asked for when somebody means to. */
export function useModelUses(project: string, model: string, isWanted: boolean) {
  return useQuery({
    queryKey: [...keyOf(project, model), "uses"],
    enabled: isWanted,
    staleTime: 0,
    queryFn: () => send<Uses>("GET", `/api/v1/models/${model}/uses/`),
  });
}

/** The model that is in production now, if there is one. */
export function useInProduction(project: string, isWanted: boolean) {
  return useQuery({
    queryKey: [...keys.models(project), "production"],
    enabled: isWanted,
    queryFn: async (): Promise<ModelSummary | null> => {
      const { data } = await api.GET("/api/v1/models/", {
        params: { query: { project, stage: "production" } },
      });
      return data?.results[0] ?? null;
    },
  });
}

export async function moveToStage(
  project: string,
  model: string,
  stage: StageName,
  note: string,
): Promise<void> {
  await send("POST", `/api/v1/models/${model}/stage/`, JSON.stringify({ stage, note }), json());
  await refreshModels(project);
}

/** Its name, notes, tags, or who may use it. Can be taken back. */
export async function changeModel(
  project: string,
  title: string,
  model: string,
  body: Partial<Pick<Model, "name" | "notes" | "tags" | "visibility">>,
): Promise<void> {
  await undoable(project, title, { method: "PATCH", address: `/api/v1/models/${model}/`, body });
}

export async function deleteModel(project: string, title: string, model: string): Promise<void> {
  await undoable(project, title, { method: "DELETE", address: `/api/v1/models/${model}/` });
}

async function startJob(address: string, body: unknown): Promise<string> {
  const { id } = await send<Job>("POST", address, JSON.stringify(body), json());
  await queryClient.invalidateQueries({ queryKey: ["activity"] });
  return id;
}

/** Writes files, each verified before it is offered; with `bundleOf` a zip around that kind of file. */
export function makeExports(model: string, kinds: string[], bundleOf: string | null = null): Promise<string> {
  return startJob(`/api/v1/models/${model}/exports/`, { kinds, bundle_of: bundleOf });
}

export function publish(model: string, kinds: string[], seconds: number): Promise<string> {
  return startJob(`/api/v1/models/${model}/publish/`, { kinds, seconds });
}

/** Models of other projects that everybody may use. */
export function usePublicModels(project: string, task: Model["task"] | undefined) {
  return useQuery({
    queryKey: [...keys.models(project), "public", task],
    enabled: task !== undefined,
    queryFn: async (): Promise<ModelSummary[]> => {
      const query = { visibility: "public", page_size: 100, ...(task ? { task } : {}) } as const;
      const { data } = await api.GET("/api/v1/models/", { params: { query } });
      return data?.results.filter((one) => one.project !== project) ?? [];
    },
  });
}
