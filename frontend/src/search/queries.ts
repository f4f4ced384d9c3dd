import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api } from "../api/client";
import type { components } from "../api/schema";
import type { Kind } from "./hits";

export type Group = components["schemas"]["SearchGroup"];

export const LEAST_LETTERS = 2;
const PAGE = 50;

/** Some hits of every kind. */
export function useHits(q: string, project?: string, limit = 5) {
  return useQuery({
    queryKey: ["search", q, project, limit],
    enabled: q.length >= LEAST_LETTERS,
    queryFn: async (): Promise<Group[]> => {
      const { data } = await api.GET("/api/v1/search/", {
        params: { query: { q, limit, ...(project ? { project } : {}) } },
      });
      return data?.groups ?? [];
    },
    placeholderData: keepPreviousData,
  });
}

/** All hits of one kind, a page after the other. */
export function useHitsOf(kind: Kind, q: string, project?: string) {
  return useInfiniteQuery({
    queryKey: ["search", q, project, "of", kind],
    enabled: q.length >= LEAST_LETTERS,
    initialPageParam: 0,
    queryFn: async ({ pageParam: offset }) => {
      const { data } = await api.GET("/api/v1/search/", {
        params: { query: { q, kind, offset, limit: PAGE, ...(project ? { project } : {}) } },
      });
      return data?.groups[0] ?? { kind, hits: [], more: false };
    },
    getNextPageParam: ({ more }, pages) => (more ? pages.length * PAGE : undefined),
  });
}
