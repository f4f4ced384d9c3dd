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

/** Images that get the same labels: one, or none to many where images may have several. */
export interface Labelling {
  labels: string[];
  images: string[];
}

/** Images by the labels that are guessed of them. */
export function imagesByLabels(guesses: readonly Guess[]): Labelling[] {
  const groups = new Map<string, Labelling>();
  for (const { labels, image } of guesses) {
    const own = labels.map(({ label }) => label).sort();
    const group = groups.get(own.join()) ?? { labels: own, images: [] };
    group.images.push(image.id);
    groups.set(own.join(), group);
  }
  return [...groups.values()];
}

/** The guess with the labels that somebody made of it, who is sure of them. */
export function corrected(guess: Guess, labels: readonly string[] | undefined): Guess {
  if (!labels) return guess;
  const said = new Map(guess.labels.map((one) => [one.label, one]));
  return { ...guess, labels: labels.map((label) => said.get(label) ?? { label, confidence: 1 }) };
}

/** Its labels with one more, or without it. */
export function labelsWith(guess: Guess, label: string): string[] {
  const own = guess.labels.map((one) => one.label);
  return own.includes(label) ? own.filter((one) => one !== label) : [...own, label];
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
