import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, send } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { Job } from "../api/types";
import { queryClient } from "../app/queries";
import { undoable } from "../history/changes";
import type { Metrics, Model } from "../models/queries";
import { type Behind, outcomeQuery } from "./search";

type Schemas = components["schemas"];
export type Evaluation = Omit<Schemas["Evaluation"], "metrics"> & { metrics: Metrics };
export type Outcome = Schemas["Outcome"];
export type OutcomeBox = Schemas["OutcomeBox"];
export type Curves = Schemas["Curves"];
export type LabelCharts = Schemas["LabelCharts"];
export type ThresholdTable = Schemas["ThresholdTable"];
export type ThresholdCost = Schemas["ThresholdCost"];
export type ExplanationResult = Schemas["ExplanationResult"];

export const PAGE = 60;
const keyOf = (project: string, model: string) => [...keys.models(project), "quality", model] as const;

/** How good the model was each time that it was measured, the latest first. */
export function useEvaluations(project: string, model: string) {
  return useQuery({
    queryKey: [...keyOf(project, model), "evaluations"],
    queryFn: async (): Promise<Evaluation[]> => {
      const { data } = await api.GET("/api/v1/models/{id}/evaluations/", {
        params: { path: { id: model }, query: { page_size: 100 } },
      });
      const found = (data?.results ?? []) as unknown as Evaluation[];
      return [...found].sort((one, other) => other.created_at.localeCompare(one.created_at));
    },
  });
}

/** Measures the model on a split of a snapshot; a job does it. */
export async function measure(
  model: string,
  snapshot: string,
  split: "train" | "validation" | "test",
): Promise<void> {
  await api.POST("/api/v1/models/{id}/evaluations/", {
    params: { path: { id: model } },
    body: { snapshot, split, file_kind: "litert-float32" },
  });
  await queryClient.invalidateQueries({ queryKey: ["activity"] });
}

export function refreshQuality(project: string, model: string): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: keyOf(project, model) });
}

/** The images behind a number, page after page. */
export function useBehind(project: string, evaluation: Evaluation, behind: Behind | null) {
  return useInfiniteQuery({
    queryKey: [...keyOf(project, evaluation.model), "behind", evaluation.id, behind],
    enabled: behind !== null && evaluation.has_outcomes,
    initialPageParam: 0,
    // Nothing in an evaluation changes; what was deleted since is told when it is asked for the next time.
    staleTime: 60_000,
    queryFn: async ({ pageParam }) => {
      const { data } = await api.GET("/api/v1/evaluations/{id}/images/", {
        params: {
          path: { id: evaluation.id },
          query: outcomeQuery(behind ?? { outcome: "all" }, pageParam, PAGE),
        },
      });
      return { count: data?.count ?? 0, results: data?.results ?? [], offset: pageParam };
    },
    getNextPageParam: ({ count, offset }) => (offset + PAGE < count ? offset + PAGE : null),
  });
}

/** What each lowest score would cost, for one label or for all. */
export function useThresholds(project: string, evaluation: Evaluation, label: string | undefined) {
  return useQuery({
    queryKey: [...keyOf(project, evaluation.model), "thresholds", evaluation.id, label ?? null],
    enabled: evaluation.has_outcomes,
    staleTime: 300_000,
    queryFn: async (): Promise<ThresholdTable> => {
      const { data } = await api.GET("/api/v1/evaluations/{id}/thresholds/", {
        params: { path: { id: evaluation.id }, query: label === undefined ? {} : { label } },
      });
      return data as ThresholdTable;
    },
  });
}

/** The charts of one label, with the score of every point. */
export function useLabelCharts(project: string, evaluation: Evaluation, label: string) {
  return useQuery({
    queryKey: [...keyOf(project, evaluation.model), "curves", evaluation.id, label],
    enabled: evaluation.has_outcomes && label !== "",
    staleTime: 300_000,
    placeholderData: keepPreviousData,
    queryFn: async (): Promise<LabelCharts> => {
      const { data } = await api.GET("/api/v1/evaluations/{id}/curves/", {
        params: { path: { id: evaluation.id }, query: { label } },
      });
      return data as LabelCharts;
    },
  });
}

/** Gives a classifier its lowest score, or a detector that of one label or of all; the others keep theirs, also those
 * that another user saved since this page was opened. */
export async function saveThreshold(
  project: string,
  model: Model,
  label: string | undefined,
  threshold: number,
  title: string,
): Promise<void> {
  const detector =
    label === undefined
      ? { score_threshold: threshold, label_thresholds: {} }
      : { label_thresholds: { ...(await labelThresholds(model.id)), [label]: threshold } };
  await undoable(project, title, {
    method: "PATCH",
    address: `/api/v1/models/${model.id}/`,
    body:
      model.task === "detection"
        ? { detector }
        : model.task === "multilabel"
          ? { label_thresholds: label === undefined ? {} : { [label]: threshold } }
          : { score_threshold: threshold || null },
  });
}

async function labelThresholds(id: string): Promise<Record<string, number>> {
  const { data } = await api.GET("/api/v1/models/{id}/", { params: { path: { id } } });
  return (data as Model).detector?.label_thresholds ?? {};
}

/** The job that finds out where the model looks on an image. */
export async function explain(model: string, image: string, label: string | undefined): Promise<string> {
  const { data } = await api.POST("/api/v1/models/{id}/explanations/", {
    params: { path: { id: model } },
    body: { image, ...(label === undefined ? {} : { label }) },
  });
  return (data as Job).id;
}

export function useJob(id: string | null) {
  return useQuery({
    queryKey: ["job", id],
    enabled: id !== null,
    refetchInterval: ({ state }) =>
      state.data && state.data.state !== "queued" && state.data.state !== "running" ? false : 1500,
    queryFn: async (): Promise<Job> => {
      const { data } = await api.GET("/api/v1/jobs/{id}/", { params: { path: { id: id ?? "" } } });
      return data as Job;
    },
  });
}

/** Predicts every image without a label: suggestions to review, those first that teach most. */
export async function suggest(model: string, dataset: string): Promise<void> {
  await api.POST("/api/v1/models/{id}/suggestions/", {
    params: { path: { id: model } },
    body: { dataset, annotate: true },
  });
  await queryClient.invalidateQueries({ queryKey: ["activity"] });
}

/** The card that the training wrote; null where the model was made elsewhere. */
export function useCard(project: string, model: Model) {
  const has = model.files.some(({ kind }) => kind === "model_card_json");
  return useQuery({
    queryKey: [...keyOf(project, model.id), "card"],
    enabled: has,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => send<unknown>("GET", `/api/v1/models/${model.id}/files/model_card_json/`),
  });
}
