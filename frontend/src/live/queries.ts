import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api } from "../api/client";
import { cursorOf } from "../api/cursor";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { Job } from "../api/types";
import type { Guess, GuessPage, LiveModel } from "./guesses";
import { guessQuery, type LiveSearch } from "./search";

export type SimilarImage = components["schemas"]["SimilarImage"];

/** How the live model of a project stands. An event says when it has learned again. */
export function useLiveModel(project: string, enabled = true) {
  return useQuery({
    queryKey: [...keys.live(project), "status"],
    queryFn: async (): Promise<LiveModel> => {
      const { data } = await api.GET("/api/v1/projects/{project_id}/live-model/", {
        params: { path: { project_id: project } },
      });
      return data as LiveModel;
    },
    enabled,
    // No event tells of each image that can be compared by now.
    refetchInterval: ({ state }) => (state.data && isPreparing(state.data) ? 3000 : false),
  });
}

function isPreparing({ code, embedder, embedded, images }: LiveModel): boolean {
  return (embedder !== null && embedded < images) || code === "fitting";
}

async function ask(
  project: string,
  search: LiveSearch,
  cursor: string | null,
  round: number,
): Promise<GuessPage> {
  const { data } = await api.GET("/api/v1/projects/{project_id}/live-model/guesses/", {
    params: { path: { project_id: project }, query: guessQuery(search, cursor) },
  });
  return { round, version: 0, count: 0, results: [], next: null, ...data };
}

/**
 * Guesses, a page after the other. They stay as they are until another round asks for them again: a tile that changes its
 * guess under somebody's hand would be confirmed as what they have not seen.
 */
export function useGuesses(project: string, search: LiveSearch, round: number) {
  return useInfiniteQuery({
    queryKey: ["guesses", project, search, round],
    queryFn: ({ pageParam }) => ask(project, search, pageParam, round),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => cursorOf(next),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

/** How many guesses there are of which the model is sure. */
export function useSureGuesses(project: string, labels: number, enabled: boolean): number {
  const { data: live } = useLiveModel(project, enabled);
  // Images of a label that it has not learned get a wrong guess, and it may be sure of it.
  const isComplete = live !== undefined && live.labels.length >= labels;
  const { data } = useQuery({
    queryKey: [...keys.live(project), "sure"],
    queryFn: () => ask(project, { min: 90 }, null, 0),
    enabled: enabled && isComplete,
  });
  return isComplete && data?.results.length ? data.count : 0;
}

/** What the live model guesses of one image; undefined where it has no guess. */
export function useGuess(project: string, image: string | undefined): Guess | undefined {
  const { data: live } = useLiveModel(project);
  const { data } = useQuery({
    queryKey: [...keys.live(project), "guess", image],
    queryFn: async (): Promise<Guess | null> => {
      const { data: page } = await api.GET("/api/v1/projects/{project_id}/live-model/guesses/", {
        params: { path: { project_id: project }, query: { image } },
      });
      return page?.results[0] ?? null;
    },
    enabled: image !== undefined && live !== undefined && live.guesses > 0,
  });
  return data ?? undefined;
}

/** The images that are most like one. */
export function useSimilar(project: string, image: string, isOpen: boolean) {
  return useQuery({
    queryKey: [...keys.image(project, image), "similar"],
    queryFn: async (): Promise<SimilarImage[]> => {
      const { data } = await api.GET("/api/v1/images/{id}/similar/", {
        params: { path: { id: image }, query: { limit: 12 } },
      });
      return data ?? [];
    },
    enabled: isOpen,
    staleTime: 60_000,
    retry: false,
  });
}

/**
 * What the live model says of the suggested boxes of an image. Asked once a visit: a name that changes under somebody's hand
 * would be accepted as what they have not seen.
 */
export function useBoxGuesses(project: string, image: string, enabled: boolean) {
  return useQuery({
    queryKey: ["box-guesses", project, image],
    queryFn: async () => {
      const { data } = await api.GET("/api/v1/images/{id}/box-guesses/", { params: { path: { id: image } } });
      return data ?? [];
    },
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

/** Makes a model of the project out of the live model. Of a large dataset a job takes the snapshot first. */
export async function keepLiveModel(project: string): Promise<components["schemas"]["Training"] | Job> {
  const { data } = await api.POST("/api/v1/projects/{project_id}/live-model/keep/", {
    params: { path: { project_id: project } },
    body: {},
  });
  return data as components["schemas"]["Training"] | Job;
}
