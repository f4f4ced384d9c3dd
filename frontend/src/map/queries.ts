import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, send } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { Job } from "../api/types";
import { queryClient } from "../app/queries";
import { type Filter, toQuery } from "../gallery/filter";
import { decode } from "./points";

export type FeatureMap = components["schemas"]["FeatureMap"];
type MapPoints = components["schemas"]["MapPoints"];

const keyOf = (project: string) => [...keys.images(project), "map"] as const;

/** How the map of a project stands. While images are compared it is asked for again. */
export function useMap(project: string) {
  return useQuery({
    queryKey: [...keyOf(project), "status"],
    queryFn: async (): Promise<FeatureMap> => {
      const { data } = await api.GET("/api/v1/projects/{project_id}/map/", {
        params: { path: { project_id: project } },
      });
      return data as FeatureMap;
    },
    refetchInterval: ({ state }) => {
      const known = state.data;
      const isPreparing = known && known.code !== "no_embedder" && known.embedded < known.images;
      return isPreparing ? 3000 : false;
    },
  });
}

/** The points that a filter leaves. They come again when images of the project change, or the map does. */
export function usePoints(project: string, filter: Filter, version: string | undefined) {
  const query = toQuery(project, filter);
  for (const name of ["project", "ordering", "seed"]) query.delete(name);
  const answer = useQuery({
    queryKey: [...keyOf(project), "points", version, query.toString()],
    queryFn: () => send<MapPoints>("GET", `/api/v1/projects/${project}/map/points/?${query}`),
    enabled: version !== undefined,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  const points = useMemo(() => (answer.data ? decode(answer.data) : undefined), [answer.data]);
  return { ...answer, points };
}

/** Lays the map out, or lays it out again, in the background. */
export async function makeMap(project: string): Promise<void> {
  await send<Job>("POST", `/api/v1/projects/${project}/map/`);
  await queryClient.invalidateQueries({ queryKey: ["activity"] });
}

export function refreshMap(project: string): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: keyOf(project) });
}
