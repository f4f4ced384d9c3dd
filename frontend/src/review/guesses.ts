export interface Guess {
  label: string;
  score: number | null;
}

export interface GuessedLabel {
  label: string;
  count: number;
  /** In whole percent; null where no guess of the label has a score. */
  lowest: number | null;
  highest: number | null;
}

/** Suggestions grouped by label, the highest score first: a detector makes dozens on one image. */
export function byLabel(guesses: readonly Guess[]): GuessedLabel[] {
  const labels = [...new Set(guesses.map(({ label }) => label))];
  return labels
    .map((label) => {
      const mine = guesses.filter((guess) => guess.label === label);
      const scores = mine.flatMap(({ score }) => (score === null ? [] : Math.round(100 * score)));
      const isScored = scores.length > 0;
      return {
        label,
        count: mine.length,
        lowest: isScored ? Math.min(...scores) : null,
        highest: isScored ? Math.max(...scores) : null,
      };
    })
    .sort((one, other) => (other.highest ?? -1) - (one.highest ?? -1));
}

/** "97 %" or "26 to 32 %" as the two scores are the same or not; empty without any. */
export function scoreText({ lowest, highest }: GuessedLabel): string {
  if (highest === null) return "";
  return lowest === highest ? `${highest} %` : `${lowest}–${highest} %`;
}
