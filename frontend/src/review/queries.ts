import { send } from "../api/client";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import type { Annotation } from "../api/types";
import { queryClient } from "../app/queries";
import { changeAction } from "../gallery/bulk";
import { type Filter, toQuery } from "../gallery/filter";
import { did } from "../history/history";

interface ReviewAnswer {
  confirmed?: number;
  rejected?: number;
  changed?: number;
  change?: string | null;
}

async function decide(project: string, title: string, body: Record<string, unknown>): Promise<ReviewAnswer> {
  const answer = await send<ReviewAnswer>("POST", "/api/v1/annotations/review/", JSON.stringify(body), {
    "Content-Type": "application/json",
    "Idempotency-Key": uuid(),
  });
  if (answer.change)
    did({ title, project, undo: changeAction(project, answer.change), redo: changeAction(project, "") });
  await queryClient.invalidateQueries({ queryKey: keys.images(project) });
  return answer;
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
): Promise<{ changed: number }> {
  const query = toQuery(project, filter);
  for (const name of ["ordering", "has_suggestions", "seed"]) query.delete(name);
  const answer = await decide(project, `≥ ${score}`, {
    action: "confirm",
    filter: { ...Object.fromEntries(query), min_score: score },
  });
  return { changed: answer.changed ?? answer.confirmed ?? 0 };
}
