import type { components } from "../api/schema";

export type Guess = components["schemas"]["Guess"];
export type LiveModel = components["schemas"]["LiveModel"];

/** Some guesses, with the round in which they were asked for. */
export interface GuessPage {
  round: number;
  version: number;
  count: number;
  /** The address of the next page. */
  next: string | null;
  results: Guess[];
}

/**
 * The guesses of all pages, each image once: pages overlap where images were labelled since the model has learned.
 *
 * @param labelled which images got a label on this page, and in which round. A later round is asked about them again: by then
 * the label may be undone.
 */
export function openGuesses(pages: readonly GuessPage[], labelled: ReadonlyMap<string, number>): Guess[] {
  const found = new Map<string, Guess>();
  for (const { round, results } of pages)
    for (const guess of results) {
      const { id } = guess.image;
      if ((labelled.get(id) ?? -1) < round && !found.has(id)) found.set(id, guess);
    }
  return [...found.values()];
}

/**
 * Whether a guess is chosen. Where the most confident come first they are confirmed many at once, so those that reach a
 * confidence are chosen until somebody says otherwise.
 *
 * @param choices - What was said of images, by their ids.
 * @param least - The confidence from which a guess is chosen, 0 to 1; null chooses none.
 */
export function isChosen(
  { image, confidence }: Guess,
  choices: ReadonlyMap<string, boolean>,
  least: number | null,
): boolean {
  return choices.get(image.id) ?? (least !== null && confidence >= least);
}

/** Images by the label that is guessed of them. */
export function imagesByLabel(guesses: readonly Guess[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { label, image } of guesses) groups.set(label, [...(groups.get(label) ?? []), image.id]);
  return groups;
}

/** How many of the labelled images that it had not seen it got right; null where too few say anything. */
export function rightOf({ accuracy, held_out }: Pick<LiveModel, "accuracy" | "held_out">): number | null {
  return accuracy === null || accuracy === undefined || held_out === 0
    ? null
    : Math.round(accuracy * held_out);
}

/** Labels of which it has learned nothing, so that it never guesses them. */
export function labelsWithoutImages<Named extends { id: string }>(
  labels: readonly Named[],
  { labels: learned }: Pick<LiveModel, "labels">,
): Named[] {
  const known = new Set(learned.filter(({ images }) => images > 0).map(({ label }) => label));
  return labels.filter(({ id }) => !known.has(id));
}
