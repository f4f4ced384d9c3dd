import type { Model, Prediction } from "../models/queries";

/** What the studio is asked for: more than is shown, so that the slider needs no other request. */
export const LOWEST = 0.05;

/** What reaches a threshold; null: the model's own ones, of each label. */
export function reaching(
  prediction: Prediction,
  model: Pick<Model, "detector" | "score_threshold">,
  threshold: number | null,
): Prediction {
  const { detector, score_threshold: own } = model;
  const least = (label: string) =>
    threshold ?? detector?.label_thresholds?.[label] ?? detector?.score_threshold ?? 0;
  return {
    ...prediction,
    boxes: prediction.boxes.filter(({ label, score }) => score >= least(label)),
    labels: prediction.labels.flatMap((answer) => {
      // Of a multilabel model all labels are shown: each says whether it is there.
      if (answer.is_present !== undefined)
        return [{ ...answer, is_present: answer.score >= (threshold ?? answer.threshold ?? 0) }];
      return answer.score >= (threshold ?? own ?? 0) ? [answer] : [];
    }),
  };
}

/** How large a camera's image is sent: no side longer than the model sees, in the camera's shape. */
export function scaledTo(width: number, height: number, longest: number): [number, number] {
  const scale = Math.min(1, longest / Math.max(width, height, 1));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** How many of these moments (milliseconds) there are in a second, over the last two of them. */
export function rateOf(moments: readonly number[], now: number): number {
  const recent = moments.filter((moment) => now - moment <= 2000);
  const [first] = recent;
  const last = recent.at(-1);
  if (recent.length < 2 || first === undefined || last === undefined || last === first) return 0;
  return ((recent.length - 1) * 1000) / (last - first);
}
