import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client";
import { keys } from "../api/keys";
import type { Snapshot } from "../api/types";
import { useFacets } from "../gallery/queries";
import type { Model } from "../models/queries";
import { useSuspectSearches } from "../review/suspects";
import { labelRows } from "./figures";
import { nextSteps, type Step } from "./next";
import type { Evaluation } from "./queries";

/** What would make the model better, from what the studio has counted; undefined until it is known. */
export function useNextSteps(project: string, model: Model, evaluation: Evaluation): Step[] | undefined {
  const searches = useSuspectSearches(project);
  const snapshot = useTrainedOn(project, model.snapshot);
  const suggestions = useHasSuggestions(project, model.id);
  const unlabelled = useFacets(project, { annotated: false });
  if (unlabelled.isLoading || searches.isLoading || snapshot.isLoading || suggestions.isLoading)
    return undefined;
  const search = searches.data?.find((one) => one.model === model.id);
  const counts = snapshot.data?.counts.labels;
  const { metrics } = evaluation;
  const open = unlabelled.data?.datasets.filter(({ count }) => count > 0) ?? [];
  const [emptiest] = open.toSorted((one, other) => other.count - one.count);
  return nextSteps({
    score: scoreOf(metrics) ?? null,
    classNames: model.class_names,
    matrix: evaluation.metrics.confusion_matrix ?? [],
    notMeasured: evaluation.metrics.labels_not_measured ?? [],
    tested: Object.fromEntries(labelRows(evaluation.metrics).map(({ label, count }) => [label, count])),
    learned: counts
      ? Object.fromEntries(model.class_names.map((name) => [name, counts[name]?.train ?? 0]))
      : null,
    suspects: search ? search.issues : null,
    unlabelled: emptiest?.id ?? null,
    haveSuggestions: suggestions.data ?? false,
  });
}

function scoreOf(metrics: Evaluation["metrics"]) {
  if (metrics.task === "detection") return metrics.ap50;
  return metrics.task === "multilabel" ? metrics.mean_average_precision : metrics.accuracy;
}

/** The snapshot that it learned from; of an uploaded model there is none. */
function useTrainedOn(project: string, snapshot: string | null) {
  return useQuery({
    queryKey: [...keys.project(project), "snapshots", snapshot, "one"],
    enabled: snapshot !== null,
    queryFn: async (): Promise<Snapshot> => {
      const { data } = await api.GET("/api/v1/snapshots/{id}/", { params: { path: { id: snapshot ?? "" } } });
      return data as Snapshot;
    },
  });
}

/** Whether predictions of this model wait for a review. */
function useHasSuggestions(project: string, model: string) {
  return useQuery({
    queryKey: [...keys.images(project), "suggested", model],
    queryFn: async (): Promise<boolean> => {
      const { data } = await api.GET("/api/v1/suggestions/", { params: { query: { model, page_size: 1 } } });
      return (data?.results.length ?? 0) > 0;
    },
  });
}
