import { useInfiniteQuery } from "@tanstack/react-query";
import { request, send } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import { queryClient } from "../app/queries";
import { ended, remember } from "../history/changes";

export type TrashEntry = components["schemas"]["TrashEntry"];
type ChangeRecord = components["schemas"]["ChangeRecord"];
type Page = components["schemas"]["PaginatedTrashEntryList"];

const json = { "Content-Type": "application/json" };

/** What lies in the trash of a project; of all projects of one's own, projects alone. */
export function useTrash(project: string | null) {
  const query = project ? `project=${project}` : "kind=project";
  return useInfiniteQuery({
    queryKey: keyOf(project),
    queryFn: ({ pageParam }) => send<Page>("GET", pageParam),
    initialPageParam: `/api/v1/trash/?${query}`,
    getNextPageParam: ({ next }) => (next ? inPage(next) : undefined),
  });
}

const keyOf = (project: string | null) => (project ? [...keys.project(project), "trash"] : ["trash"]);

/** The studio answers with its own idea of its address. */
function inPage(address: string): string {
  const { pathname, search } = new URL(address, globalThis.location?.href);
  return pathname + search;
}

async function refresh(project: string | null): Promise<void> {
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: project ? keys.project(project) : ["trash"] }),
    queryClient.invalidateQueries({ queryKey: keys.projects }),
  ]);
}

/** Puts it back, and remembers that, so that it can be undone as any other change. */
export async function restore(
  entry: TrashEntry,
  list: string | null,
  title: string,
): Promise<ChangeRecord["details"]> {
  const response = await request(`/api/v1/trash/${entry.id}/restore/`, {
    method: "POST",
    body: "{}",
    headers: json,
  });
  const { answer, change } = await ended<Partial<ChangeRecord>>(response);
  remember(entry.project, title, change);
  await refresh(list);
  return answer.details ?? {};
}

export async function removeForGood(entry: TrashEntry, list: string | null): Promise<void> {
  await send("DELETE", `/api/v1/trash/${entry.id}/`);
  await refresh(list);
}

export async function emptyTrash(list: string | null): Promise<void> {
  await send("POST", "/api/v1/trash/empty/", JSON.stringify(list ? { project: list } : {}), json);
  await refresh(list);
}
