import type { Project } from "../../api/types";
import type { ProjectCounts } from "../counts";

export type Next =
  | { step: "add" }
  | { step: "name-labels" }
  | { step: "label"; missing: number }
  | { step: "arrive" }
  | { step: "train" }
  | { step: "watch"; training: string }
  | { step: "try"; model: string | null };

/** What happens in the project meanwhile. */
export interface Meanwhile {
  /** Images are being added. */
  isArriving: boolean;
  /** The training that runs or waits. */
  training: string | null;
  /** The newest model. */
  model: string | null;
}

/** So many labelled images of each label make a first model worth its minutes. */
const ENOUGH = 20;
const LEAST_LABELS = 2;

/** The one thing to do next. Pure: what a project has in, the step out. */
export function nextStep(
  project: Project,
  counts: ProjectCounts | undefined,
  meanwhile: Meanwhile,
): Next | null {
  if (!counts) return null;
  if (meanwhile.training) return { step: "watch", training: meanwhile.training };
  if (meanwhile.isArriving && project.model_count === 0) return { step: "arrive" };
  if (counts.images === 0) return { step: "add" };
  const least = project.task === "classification" ? LEAST_LABELS : 1;
  if (project.label_count < least) return { step: "name-labels" };
  // Labels that no image carries yet are not among the counts.
  const missing =
    project.label_count * ENOUGH -
    counts.labels.reduce((sum, { images }) => sum + Math.min(ENOUGH, images), 0);
  const open = counts.images - counts.annotated;
  if (missing > 0 && open > 0 && project.model_count === 0)
    return { step: "label", missing: Math.min(missing, open) };
  return project.model_count === 0 ? { step: "train" } : { step: "try", model: meanwhile.model };
}
