import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { api } from "../api/client";
import { cursorOf } from "../api/cursor";
import { onStudioEvent, type StudioEvent } from "../api/events";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { Job } from "../api/types";
import { queryClient } from "../app/queries";
import type { TrainingRequest } from "./form";
import { withEpochs } from "./history";

type Schemas = components["schemas"];
export type Training = Schemas["Training"];
export type TrainingSummary = Schemas["TrainingSummary"];
export type TrainingOptions = Schemas["TrainingOptions"];
export type Preset = Schemas["TrainingPreset"];
export type Preflight = Schemas["PreflightResult"];
export type Search = Schemas["Search"];
export type WorkState = Schemas["WorkState"];

export const isOpen = (state: WorkState) => state === "queued" || state === "running";
const keyOf = (project: string, id: string) => [...keys.training(project), id] as const;

export function useOptions(project: string) {
  return useQuery({
    queryKey: [...keys.training(project), "options"],
    queryFn: async (): Promise<TrainingOptions> => {
      const { data } = await api.GET("/api/v1/trainings/options/", { params: { query: { project } } });
      return data as TrainingOptions;
    },
  });
}

export function useArchitectures(task: Schemas["TaskKind"] | undefined) {
  return useQuery({
    queryKey: ["architectures", task],
    enabled: task !== undefined,
    staleTime: 300_000,
    queryFn: async () => {
      const { data } = await api.GET("/api/v1/architectures/", { params: { query: task ? { task } : {} } });
      return data ?? [];
    },
  });
}

/** What a network is called, by its name in the catalogue. */
export function useArchitectureTitle(): (name: string) => string {
  const { data } = useQuery({
    queryKey: ["architectures", "all"],
    staleTime: 300_000,
    queryFn: async () => (await api.GET("/api/v1/architectures/", {})).data ?? [],
  });
  return (name) => data?.find((one) => one.name === name)?.title ?? name.replaceAll("_", " ");
}

/** The job that finds out what such a training would take; asked for once for the same request. */
export function usePreflightJob(body: TrainingRequest | null) {
  return useQuery({
    queryKey: ["preflight", body],
    enabled: body !== null,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 120_000,
    retry: false,
    queryFn: async (): Promise<Job> => {
      const { data } = await api.POST("/api/v1/trainings/preflight/", { body: body as TrainingRequest });
      return data as Job;
    },
  });
}

export type Seen = Pick<Preflight, "images" | "labels">;

/** What a training of the data as they are would see: the newest snapshot, which the estimate has taken or found. */
export function useSeen(project: string, dataset: string | null, job: string | undefined) {
  return useQuery({
    queryKey: ["seen", project, dataset, job],
    enabled: job !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async (): Promise<Seen | null> => {
      const query = { project, page_size: 1, ...(dataset ? { dataset } : {}) };
      const { data } = await api.GET("/api/v1/snapshots/", { params: { query } });
      const [newest] = data?.results ?? [];
      return newest ? seenOf(newest) : null;
    },
  });
}

function seenOf({ class_names: names, counts }: Schemas["Snapshot"]): Seen {
  const bySplit = (row: { train?: number; validation?: number; test?: number } = {}) => ({
    train: row.train ?? 0,
    validation: row.validation ?? 0,
    test: row.test ?? 0,
  });
  return {
    images: bySplit(counts.splits),
    labels: names.map((name) => ({ name, ...bySplit(counts.labels[name]) })),
  };
}

export async function cancelJob(id: string): Promise<void> {
  await api.POST("/api/v1/jobs/{id}/cancel/", { params: { path: { id } } }).catch(() => undefined);
}

/** Starts a training. Of a large dataset a job takes the snapshot first, and starts it then. */
export async function startTraining(body: TrainingRequest): Promise<Training | Job> {
  const { data } = await api.POST("/api/v1/trainings/", { body });
  await refresh(body.project);
  return data as Training | Job;
}

export function useTrainings(project: string, filter: Record<string, string>) {
  return useInfiniteQuery({
    queryKey: [...keys.trainings(project), filter],
    initialPageParam: "",
    queryFn: async ({ pageParam }) => {
      const { data } = await api.GET("/api/v1/trainings/", {
        params: { query: { project, page_size: 50, ...filter, ...(pageParam ? { cursor: pageParam } : {}) } },
      });
      return { results: data?.results ?? [], next: cursorOf(data?.next) };
    },
    getNextPageParam: ({ next }) => next,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ results }) => results.some((run) => isOpen(run.state))) ? 10_000 : false,
  });
}

/** Whether a training that is shown was waiting or running when it was last heard of. */
export function isKnownOpen(project: string, id: string): boolean {
  const run = queryClient.getQueryData<Training>(keyOf(project, id));
  return run !== undefined && isOpen(run.state);
}

/** One training, with each epoch as it ends: heard by the one stream, and read again where one was missed. */
export function useTraining(project: string, id: string) {
  useEffect(() => onStudioEvent((event) => hear(project, id, event)), [project, id]);
  return useQuery({
    queryKey: keyOf(project, id),
    queryFn: async (): Promise<Training> => {
      const { data } = await api.GET("/api/v1/trainings/{id}/", { params: { path: { id } } });
      return data as Training;
    },
    // Events while the page was not open were missed.
    refetchOnMount: "always",
    // For its place in the queue, and for a stream that was cut.
    refetchInterval: ({ state }) =>
      state.data?.state === "queued" ? 3000 : state.data?.state === "running" ? 15_000 : false,
  });
}

function hear(project: string, id: string, event: StudioEvent): void {
  if (event.kind !== "training" || event.id !== id || event.action === "deleted") return;
  const known = queryClient.getQueryData<Training>(keyOf(project, id));
  const history = known && withEpochs(known.history, event.epochs ?? []);
  if (known && history && event.state === known.state) {
    const { progress = known.progress, estimate } = event;
    queryClient.setQueryData(keyOf(project, id), {
      ...known,
      history,
      progress,
      estimate: estimate ?? known.estimate,
    });
  } else void queryClient.invalidateQueries({ queryKey: keyOf(project, id) });
}

export function useTrainingLog(project: string, id: string, isRunning: boolean, isShown: boolean) {
  return useQuery({
    queryKey: [...keyOf(project, id), "log"],
    enabled: isShown,
    refetchInterval: isRunning ? 3000 : false,
    queryFn: async (): Promise<string> => {
      const { data } = await api.GET("/api/v1/trainings/{id}/log/", {
        params: { path: { id } },
        parseAs: "text",
      });
      return (data as string | undefined) ?? "";
    },
  });
}

export async function cancelTraining(project: string, id: string): Promise<void> {
  await api.POST("/api/v1/trainings/{id}/cancel/", { params: { path: { id } } });
  await refresh(project);
}

export async function retryTraining(project: string, id: string): Promise<Training> {
  const { data } = await api.POST("/api/v1/trainings/{id}/retry/", { params: { path: { id } } });
  await refresh(project);
  return data as Training;
}

export async function deleteTraining(project: string, id: string): Promise<void> {
  await api.DELETE("/api/v1/trainings/{id}/", { params: { path: { id } } });
  await refresh(project);
}

async function refresh(project: string): Promise<void> {
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: keys.trainings(project) }),
    queryClient.invalidateQueries({ queryKey: keys.training(project) }),
    queryClient.invalidateQueries({ queryKey: ["activity"] }),
  ]);
}

export function useSearches(project: string) {
  return useQuery({
    queryKey: [...keys.trainings(project), "searches"],
    queryFn: async (): Promise<Search[]> => {
      const { data } = await api.GET("/api/v1/searches/", { params: { query: { project, page_size: 100 } } });
      return data?.results ?? [];
    },
  });
}

export function useSearch(project: string, id: string) {
  return useQuery({
    queryKey: [...keys.trainings(project), "searches", id],
    refetchInterval: ({ state }) => (state.data && isOpen(state.data.state) ? 10_000 : false),
    queryFn: async (): Promise<Search> => {
      const { data } = await api.GET("/api/v1/searches/{id}/", { params: { path: { id } } });
      return data as Search;
    },
  });
}

export async function startSearch(body: TrainingRequest & { max_runs: number }): Promise<Search | Job> {
  const { minutes, ...rest } = body;
  const { data } = await api.POST("/api/v1/searches/", {
    body: { ...rest, ...(minutes ? { max_minutes: minutes } : {}) },
  });
  await refresh(body.project);
  return data as Search | Job;
}

export async function cancelSearch(project: string, id: string): Promise<void> {
  await api.POST("/api/v1/searches/{id}/cancel/", { params: { path: { id } } });
  await refresh(project);
}
