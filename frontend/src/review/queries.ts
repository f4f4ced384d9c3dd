import { send } from "../api/client";
import type { Annotation } from "../api/types";
import type { Filter } from "../gallery/filter";
import { undoable } from "../history/changes";

interface ReviewAnswer {
  confirmed: number;
  rejected: number;
}

function decide(project: string, title: string, body: Record<string, unknown>) {
  return undoable<ReviewAnswer>(project, title, {
    method: "POST",
    address: "/api/v1/annotations/review/",
    body,
  });
}

/** Takes or rejects what is suggested on one image. Who made it is kept by the server. */
export async function review(
  project: string,
  image: string,
  filename: string,
  choice: "confirm" | "reject",
  title: string,
): Promise<void> {
  const { annotations } = await send<{ annotations: Annotation[] }>(
    "GET",
    `/api/v1/images/${image}/annotations/`,
  );
  const ids = annotations.filter(({ confirmed }) => !confirmed).map(({ id }) => id);
  if (ids.length > 0) await decide(project, `${title} (${filename})`, { [choice]: ids });
}

/** Takes every suggestion of the filter from a score on. */
export async function reviewAbove(
  project: string,
  filter: Filter,
  score: number,
  title: string,
): Promise<{ changed: number }> {
  const answer = await decide(project, title, {
    decision: "confirm",
    filter: { project, dataset: filter.dataset, label: filter.label?.[0], min_score: score },
  });
  return { changed: answer.confirmed };
}
