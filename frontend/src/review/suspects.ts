import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { send } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { Job } from "../api/types";
import { queryClient } from "../app/queries";
import { bulk } from "../gallery/bulk";
import { undoable, undoChange } from "../history/changes";
import { amended, did, performs } from "../history/history";

export type Suspect = components["schemas"]["LightSuspect"];
export type SuspectSearch = components["schemas"]["SuspectSearch"];
export type Decision = components["schemas"]["SuspectDecision"];

const PAGE = 60;
const MOST = 500;
/** So many are here before they are shown. */
const NEXT = 5;
const json = { "Content-Type": "application/json" };
const keyOf = (project: string) => [...keys.project(project), "suspects"] as const;

/** In place of a model: the search by the features of the images alone. */
export const BY_FEATURES = "features";
/** What is looked at one after the other: labels, or images that are unlike all others of their label. */
export type SuspectSort = "label" | "outlier";

/** Whether a search is the one that an address names. */
export function isNamed(
  search: SuspectSearch,
  model: string | undefined,
  dataset: string | undefined,
): boolean {
  return (search.model ?? BY_FEATURES) === model && search.dataset === dataset;
}

/** The searches whose results are kept, the newest first. */
export function useSuspectSearches(project: string) {
  return useQuery({
    queryKey: [...keyOf(project), "searches"],
    queryFn: () => send<SuspectSearch[]>("GET", `/api/v1/suspects/searches/?project=${project}`),
  });
}

/** How many are asked for, so that there are some beside those that were left for later, which stay on top. */
export function sizeBeside(later: number): number {
  return Math.min(MOST, PAGE * Math.ceil((later + NEXT) / PAGE));
}

/** What is open of a search, the least believed label first. */
export function useSuspects(
  project: string,
  search: SuspectSearch | undefined,
  sort: SuspectSort,
  areAllShown: boolean,
  later: number,
) {
  const size = String(sizeBeside(later));
  const query = new URLSearchParams({ open: "true", fields: "grid", page_size: size });
  if (search) {
    if (search.model) query.set("model", search.model);
    else {
      query.set("by_features", "true");
      query.set("outliers", String(sort === "outlier"));
    }
    query.set("dataset", search.dataset);
  }
  if (!areAllShown) query.set("is_issue", "true");
  return useQuery({
    queryKey: [...keyOf(project), "list", query.toString()],
    enabled: search !== undefined,
    // What is shown stays while more of it comes.
    placeholderData: keepPreviousData,
    queryFn: () => send<{ next: string | null; results: Suspect[] }>("GET", `/api/v1/suspects/?${query}`),
  });
}

export async function searchSuspects(model: string, dataset: string): Promise<void> {
  if (model === BY_FEATURES) await send<Job>("POST", `/api/v1/datasets/${dataset}/suspects/`);
  else await send<Job>("POST", `/api/v1/models/${model}/suspects/`, JSON.stringify({ dataset }), json);
  await queryClient.invalidateQueries({ queryKey: ["activity"] });
}

export function refreshSuspects(project: string): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: keyOf(project) });
}

async function decide(id: string, decision: Decision | null): Promise<void> {
  await send("PATCH", `/api/v1/suspects/${id}/`, JSON.stringify({ decision }), json);
}

interface Payload {
  project: string;
  id: string;
  decision: Decision | null;
}

performs<Payload>("suspect", async ({ project, id, decision }) => {
  await decide(id, decision);
  await refreshSuspects(project);
  return undefined;
});

interface BoxPayload extends Payload {
  changes: string[];
}

/** A box that was added answers its doubt: both are taken back together, or the doubt would never be seen again. */
performs<BoxPayload>("suspect-box", async ({ project, id, decision, changes }) => {
  const made = (await Promise.all(changes.map(undoChange))).filter((change) => change !== null);
  await decide(id, decision);
  await queryClient.invalidateQueries({ queryKey: keys.project(project) });
  return boxAction({ project, id, decision: decision === null ? "corrected" : null, changes: made });
});

const boxAction = (payload: BoxPayload) => ({ kind: "suspect-box", payload });

/** The label is right: no later search of the model shows it again. */
export async function keepLabel(project: string, suspect: Suspect, title: string): Promise<void> {
  await decide(suspect.id, "kept");
  const payload = { project, id: suspect.id };
  did({
    title: `${title} (${suspect.image.filename})`,
    project,
    undo: { kind: "suspect", payload: { ...payload, decision: null } },
    redo: { kind: "suspect", payload: { ...payload, decision: "kept" } },
  });
  // Only now, so that it can be undone as soon as it is seen to be gone.
  await refreshSuspects(project);
}

/** Gives the image, or the box that is doubted, another label. The suspect leaves the list by that. */
export async function relabel(
  project: string,
  suspect: Suspect,
  label: string,
  title: string,
): Promise<void> {
  const { image, annotation, box } = suspect;
  const named = `${title} (${image.filename})`;
  if (suspect.kind === "wrong")
    await bulk(project, named, { action: "remove_label", images: [image.id], label: suspect.label });
  else if (suspect.kind === "not_drawn") {
    const { change } = await annotate(project, named, image.id, { add: [{ label, box }] });
    await decide(suspect.id, "corrected");
    if (change) {
      const payload = { project, id: suspect.id };
      amended({
        title: named,
        project,
        undo: boxAction({ ...payload, decision: null, changes: [change] }),
        redo: boxAction({ ...payload, decision: "corrected", changes: [] }),
      });
    }
    await refreshSuspects(project);
  } else if (annotation) await annotate(project, named, image.id, { change: [{ id: annotation, label }] });
  else await bulk(project, named, { action: "label", images: [image.id], label });
}

/** An image that does not belong here. It rests in the trash. */
export function removeImage(project: string, suspect: Suspect, title: string): Promise<unknown> {
  return bulk(project, `${title} (${suspect.image.filename})`, {
    action: "delete",
    images: [suspect.image.id],
  });
}

/** The model sees nothing in the box, and rightly so. */
export function removeBox(project: string, suspect: Suspect, title: string): Promise<unknown> {
  const named = `${title} (${suspect.image.filename})`;
  return annotate(project, named, suspect.image.id, { remove: [suspect.annotation] });
}

function annotate(project: string, title: string, image: string, body: Record<string, unknown>) {
  return undoable(project, title, {
    method: "PATCH",
    address: `/api/v1/images/${image}/annotations/`,
    body,
  });
}
