import { FEW } from "./figures";
import { confusions } from "./matrix";

/** So few images of a label are little to learn from, whatever the model. */
export const FEW_TO_LEARN = 20;

/** A model below this AP50, or this share of images, is wrong more often than the labels are. */
const WEAK = 0.3;

export type Step =
  | { kind: "weak" }
  | { kind: "few"; label: string; images: number }
  | { kind: "unmeasured"; labels: string[] }
  | { kind: "scarce"; label: string; images: number }
  | { kind: "confused"; label: string; predicted: string; count: number; row: number; column: number }
  | { kind: "missed"; label: string; count: number }
  | { kind: "false-alarms"; label: string; count: number }
  | { kind: "suspects"; count: number }
  | { kind: "find-suspects" }
  | { kind: "suggestions" }
  | { kind: "find-suggestions"; dataset: string };

interface Known {
  /** AP50 of a detector, of a classifier the share of images it names right; null where it was not measured. */
  score: number | null;
  classNames: string[];
  matrix: number[][];
  notMeasured: string[];
  /** Test images by label, or boxes. */
  tested: Record<string, number>;
  /** Images to learn from by label; null where the snapshot is gone. */
  learned: Record<string, number> | null;
  /** Labels that look wrong; null where nobody has looked for them with this model. */
  suspects: number | null;
  /** The dataset with the most images that have no label; null where every image has one. */
  unlabelled: string | null;
  /** Whether suggestions of this model wait for a review. */
  haveSuggestions: boolean;
}

/** What would make the model better, the surest first: each from something that the studio has counted. */
export function nextSteps(known: Known): Step[] {
  const { classNames, learned, tested } = known;
  const steps: Step[] = [];
  const isWeak = known.score !== null && known.score < WEAK;
  if (isWeak) steps.push({ kind: "weak" });
  if (known.suspects) steps.push({ kind: "suspects", count: known.suspects });
  const fewest = learned && smallest(classNames, learned, FEW_TO_LEARN);
  if (fewest) steps.push({ kind: "few", ...fewest });
  steps.push(...mistakes(classNames, known.matrix));
  if (known.notMeasured.length > 0) steps.push({ kind: "unmeasured", labels: known.notMeasured });
  else {
    const scarce = smallest(classNames, tested, FEW);
    if (scarce) steps.push({ kind: "scarce", ...scarce });
  }
  if (known.suspects === null && !isWeak) steps.push({ kind: "find-suspects" });
  if (known.haveSuggestions) steps.push({ kind: "suggestions" });
  else if (known.unlabelled) steps.push({ kind: "find-suggestions", dataset: known.unlabelled });
  return steps;
}

/** What it gets wrong most often of each kind, the most frequent first; a single mistake teaches nothing. */
function mistakes(classNames: string[], matrix: number[][]): Step[] {
  const frequent = confusions(matrix).filter(({ count }) => count > 1);
  const steps = frequent.flatMap(({ row, column, count }): Step[] => {
    const [label, predicted] = [classNames[row], classNames[column]];
    if (label !== undefined && predicted !== undefined)
      return [{ kind: "confused", label, predicted, count, row, column }];
    if (label !== undefined) return [{ kind: "missed", label, count }];
    return predicted === undefined ? [] : [{ kind: "false-alarms", label: predicted, count }];
  });
  return steps.filter((step, place) => steps.findIndex(({ kind }) => kind === step.kind) === place);
}

function smallest(names: string[], counts: Record<string, number>, limit: number) {
  const rows = names.map((label) => ({ label, images: counts[label] ?? 0 }));
  const [least] = rows.filter(({ images }) => images < limit).sort((one, other) => one.images - other.images);
  return least;
}
