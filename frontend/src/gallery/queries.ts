import { keepPreviousData, queryOptions, useQueries, useQuery } from "@tanstack/react-query";
import { send } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import { type Filter, toQuery } from "./filter";
import { pagesOf, type Range } from "./geometry";

export type GridImage = components["schemas"]["GridImage"];
export type Facets = components["schemas"]["Facets"];
export type Neighbours = components["schemas"]["Neighbours"];

export const PAGE = 200;

interface Page {
  total: number;
  start: number;
  results: GridImage[];
}

export function pageQuery(project: string, filter: Filter, page: number) {
  const query = toQuery(project, filter);
  query.set("fields", "grid");
  query.set("offset", String(page * PAGE));
  query.set("page_size", String(PAGE));
  return queryOptions({
    queryKey: [...keys.images(project), "grid", query.toString()],
    queryFn: () => send<Page>("GET", `/api/v1/images/?${query}`),
    staleTime: 30_000,
  });
}

/** The images of a range, and how many there are. Places that are not loaded yet are undefined. */
export function useGrid(project: string, filter: Filter, range: Range) {
  const first = useQuery({ ...pageQuery(project, filter, 0), placeholderData: keepPreviousData });
  const pages = pagesOf(range, PAGE).filter((page) => page > 0);
  const others = useQueries({ queries: pages.map((page) => pageQuery(project, filter, page)) });
  const loaded = new Map<number, GridImage[]>();
  if (first.data) loaded.set(0, first.data.results);
  for (const [index, page] of pages.entries()) {
    const data = others[index]?.data;
    if (data) loaded.set(page, data.results);
  }
  return {
    total: first.data?.total,
    error: first.error,
    refetch: first.refetch,
    imageAt: (index: number): GridImage | undefined => loaded.get(Math.floor(index / PAGE))?.[index % PAGE],
  };
}

export function useFacets(project: string, filter: Filter) {
  const query = toQuery(project, filter);
  query.delete("ordering");
  query.delete("seed");
  return useQuery({
    queryKey: [...keys.images(project), "facets", query.toString()],
    queryFn: () => send<Facets>("GET", `/api/v1/images/facets/?${query}`),
    placeholderData: keepPreviousData,
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
