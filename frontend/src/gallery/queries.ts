import { useThrottledValue } from "@mantine/hooks";
import { keepPreviousData, queryOptions, useQueries, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { request, send } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import { queryClient } from "../app/queries";
import { type Filter, toQuery } from "./filter";
import { pagesOf, type Range, widened } from "./geometry";

export type GridImage = components["schemas"]["GridImage"];
export type Facets = components["schemas"]["Facets"];
export type Neighbours = components["schemas"]["Neighbours"];

export const PAGE = 100;
/** So many images on both sides of what is in view are loaded before they are scrolled to. */
const AHEAD = 60;
/** Milliseconds. */
const WAIT = 100;

interface Page {
  total: number;
  start: number;
  results: GridImage[];
}

export function pageQuery(project: string, filter: Filter, page: number, size = PAGE) {
  const query = toQuery(project, filter);
  query.set("fields", "grid");
  query.set("offset", String(page * size));
  query.set("page_size", String(size));
  return queryOptions({
    queryKey: [...keys.images(project), "grid", query.toString()],
    // A place that was left again before its images were here is not waited for.
    queryFn: async ({ signal }) =>
      (await (await request(`/api/v1/images/?${query}`, { method: "GET", signal })).json()) as Page,
    staleTime: 30_000,
  });
}

/** How many images there are, by the first page of them. */
export function useTotal(project: string, filter: Filter) {
  const { data, error, refetch } = useQuery({
    ...pageQuery(project, filter, 0),
    placeholderData: keepPreviousData,
  });
  return { total: data?.total, error, refetch };
}

/** The images of a range. Places that are not loaded yet are undefined. */
export function useImages(
  project: string,
  filter: Filter,
  range: Range,
  total: number,
): (index: number) => GridImage | undefined {
  // While the scroll bar is dragged a place comes and goes with each frame: the studio is asked for a few of them.
  const asked = pagesOf(useThrottledValue(range, WAIT), PAGE);
  const isLoaded = (page: number) =>
    queryClient.getQueryData(pageQuery(project, filter, page).queryKey) !== undefined;
  const pages = pagesOf(range, PAGE).filter((page) => asked.includes(page) || isLoaded(page));
  const { imageAt, isHere } = useQueries({
    queries: pages.map((page) => pageQuery(project, filter, page)),
    combine: (answers) => {
      const loaded = new Map(answers.map(({ data }, place) => [pages[place], data?.results]));
      return {
        isHere: answers.length > 0 && answers.every(({ data }) => data),
        imageAt: (index: number) => loaded.get(Math.floor(index / PAGE))?.[index % PAGE],
      };
    },
  });
  const ahead = isHere ? pagesOf(widened(range, AHEAD, total), PAGE).join() : "";
  useEffect(() => {
    for (const page of ahead.split(",").filter(Boolean))
      void queryClient.prefetchQuery(pageQuery(project, filter, Number(page)));
  }, [project, filter, ahead]);
  return imageAt;
}

export function useFacets(project: string, filter: Filter, enabled = true) {
  const query = toQuery(project, filter);
  query.delete("ordering");
  query.delete("seed");
  return useQuery({
    queryKey: [...keys.images(project), "facets", query.toString()],
    queryFn: () => send<Facets>("GET", `/api/v1/images/facets/?${query}`),
    placeholderData: keepPreviousData,
    enabled,
  });
}

export function neighboursQuery(project: string, image: string, filter: Filter) {
  const query = toQuery(project, filter);
  return queryOptions({
    queryKey: [...keys.images(project), "neighbours", image, query.toString()],
    queryFn: () => send<Neighbours>("GET", `/api/v1/images/${image}/neighbours/?${query}`),
    placeholderData: keepPreviousData,
  });
}
