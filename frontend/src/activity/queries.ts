import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client";
import { keys } from "../api/keys";
import type { Activity } from "../api/types";

/** Background work of one project or of all, newest first. */
export function useActivity(project: string | null) {
  return useQuery({
    queryKey: keys.activity(project),
    queryFn: async (): Promise<Activity[]> => {
      const { data } = await api.GET("/api/v1/activity/", {
        params: { query: { state: "all", page_size: 50, ...(project ? { project } : {}) } },
      });
      return data ?? [];
    },
    // Events refresh it at once; this is for a stream that was cut.
    refetchInterval: (query) => (query.state.data?.some(isRunning) ? 5_000 : 60_000),
  });
}

export function isRunning({ state }: { state: string }): boolean {
  return state === "running" || state === "queued";
}
