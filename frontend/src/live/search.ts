import type { operations } from "../api/schema";

type Query = NonNullable<operations["projects_live_model_guesses_retrieve"]["parameters"]["query"]>;

export const orders = ["most_confident", "least_confident"] as const;
export type GuessOrder = (typeof orders)[number];
/** Per cent. */
export const LEAST = [0, 50, 80, 90, 95] as const;
/** Per cent, from which a guess is chosen to be confirmed where the address names no least confidence. */
const SURE = 90;
/** Guesses that are shown at a time. */
export const PAGE = 60;

/** What the address of the page says. */
export interface LiveSearch {
  label?: string;
  /** Only images on which it sees none of the labels, where images may have several. */
  none?: boolean;
  dataset?: string;
  order?: GuessOrder;
  /** Least confidence in per cent. */
  min?: number;
}

/** Reads an address. What is odd in it is left out. */
export function readLiveSearch(search: Record<string, unknown>): LiveSearch {
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  return {
    label: text(search.label),
    none: search.none === true || undefined,
    dataset: text(search.dataset),
    order: orders.find((order) => order === search.order),
    min: LEAST.find((least) => least > 0 && least === search.min),
  };
}

/** The confidence from which guesses are chosen, 0 to 1; null where the least confident come first and each wants a look. */
export function chosenFrom(order: GuessOrder, min: number | undefined): number | null {
  return order === "most_confident" ? (min ?? SURE) / 100 : null;
}

/** The query of the HTTP interface for guesses: the first page, or the one behind a cursor. */
export function guessQuery({ label, none, dataset, order, min }: LiveSearch, cursor: string | null): Query {
  return {
    label,
    is_empty: none,
    dataset,
    order,
    min_confidence: (min ?? 0) / 100,
    limit: PAGE,
    cursor: cursor ?? undefined,
  };
}
