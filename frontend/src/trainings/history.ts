import type { components } from "../api/schema";

export type Epoch = components["schemas"]["Epoch"];
type Figure = "val_ap50" | "val_balanced_accuracy" | "val_accuracy";

export interface Point {
  epoch: number;
  value: number;
}

export interface Line {
  kind: "train" | "validation";
  points: Point[];
}

/** What a training keeps its best epoch by: of detectors AP50, of classifiers the accuracy, balanced where labels are uneven. */
export function figureOf(history: Epoch[]): Figure | null {
  const has = (name: Figure) => history.some((entry) => typeof entry[name] === "number");
  return (["val_ap50", "val_balanced_accuracy", "val_accuracy"] as const).find(has) ?? null;
}

/** The epoch whose weights are kept: the best figure, and of equal ones the better second figure, as the engine has it. */
export function bestEpoch(history: Epoch[]): number | null {
  const figure = figureOf(history);
  if (!figure) return null;
  let best: { epoch: number; score: number; second: number } | null = null;
  for (const entry of history) {
    const score = entry[figure];
    if (typeof score !== "number") continue;
    const second = figure === "val_ap50" ? (entry.val_ap ?? 0) : -entry.val_loss;
    if (!best || score > best.score || (score === best.score && second > best.second))
      best = { epoch: entry.epoch, score, second };
  }
  return best?.epoch ?? null;
}

export function lossLines(history: Epoch[]): Line[] {
  return [
    { kind: "train", points: history.map(({ epoch, loss }) => ({ epoch, value: loss })) },
    { kind: "validation", points: history.map(({ epoch, val_loss }) => ({ epoch, value: val_loss })) },
  ];
}

export function figureLines(history: Epoch[]): Line[] {
  const figure = figureOf(history);
  if (!figure) return [];
  const pick = (name: Figure | "accuracy"): Point[] =>
    history.flatMap((entry) => {
      const value = entry[name];
      return typeof value === "number" ? [{ epoch: entry.epoch, value }] : [];
    });
  const validation: Line = { kind: "validation", points: pick(figure) };
  return figure === "val_accuracy" ? [{ kind: "train", points: pick("accuracy") }, validation] : [validation];
}

/**
 * The history with epochs that were heard of since. After a resume some are trained again: the later ones count.
 * null: one is missing between them, and all must be read again.
 */
export function withEpochs(history: Epoch[], heard: Epoch[]): Epoch[] | null {
  let all = history;
  for (const entry of heard) {
    const before = all.filter(({ epoch }) => epoch < entry.epoch);
    if (before.length !== entry.epoch - 1) return null;
    const known = all.find(({ epoch }) => epoch === entry.epoch);
    // Heard twice, as by a stream that began again: what followed stays.
    if (known && same(known, entry)) continue;
    all = [...before, entry];
  }
  return all;
}

const same = (a: Epoch, b: Epoch) =>
  a.loss === b.loss && a.val_loss === b.val_loss && a.seconds === b.seconds;

/** Where one phase ends and the next begins: the first epoch of each, but of the first one. */
export function phaseStarts(history: Epoch[]): { epoch: number; phase: string }[] {
  return history.flatMap(({ epoch, phase }, n) =>
    n > 0 && history[n - 1]?.phase !== phase ? [{ epoch, phase }] : [],
  );
}
