export const views = ["labels", "confusion", "charts", "thresholds", "mistakes", "card"] as const;
export type View = (typeof views)[number];
const outcomes = ["right", "wrong", "false_positive", "miss", "cell", "all"] as const;
export type Outcome = (typeof outcomes)[number];
export const sorts = ["label", "count", "precision", "recall", "score"] as const;
export type Sort = (typeof sorts)[number];

/** What the page of a model's quality shows, as it stands in the address. */
export interface QualitySearch {
  evaluation?: string;
  view?: View;
  /** The label of the charts and of the thresholds. */
  of?: string;
  sort?: Sort;
  down?: boolean;
  shares?: boolean;
  /** The images behind a number: the panel is open when there is one. */
  outcome?: Outcome;
  label?: string;
  predicted?: string;
  min?: number;
  max?: number;
  /** The label whose score `min` and `max` are; without it that of the best answer. */
  scoreOf?: string;
  /** Of a detector: boxes below it are left out. */
  threshold?: number;
  image?: string;
}

/** Reads an address. What is odd in it is left out. */
export function readQualitySearch(search: Record<string, unknown>): QualitySearch {
  const number = (value: unknown) =>
    typeof value === "number" && value >= 0 && value <= 1 ? value : undefined;
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  // A label may be called "12", which the router reads as a number.
  const name = (value: unknown) => (typeof value === "number" ? String(value) : text(value));
  const all: QualitySearch = {
    evaluation: text(search.evaluation),
    view: views.find((one) => one === search.view),
    of: name(search.of),
    sort: sorts.find((one) => one === search.sort),
    down: search.down === true ? true : undefined,
    shares: search.shares === true ? true : undefined,
    outcome: outcomes.find((one) => one === search.outcome),
    label: name(search.label),
    predicted: name(search.predicted),
    min: number(search.min),
    max: number(search.max),
    scoreOf: name(search.scoreOf),
    threshold: number(search.threshold),
    image: text(search.image),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

export type Behind = Pick<QualitySearch, "label" | "predicted" | "min" | "max" | "scoreOf" | "threshold"> & {
  outcome: Outcome;
};

/** Which images the panel shows; null where it is closed. */
export function behindOf(search: QualitySearch): Behind | null {
  const { outcome, label, predicted, min, max, scoreOf, threshold } = search;
  return outcome ? { outcome, label, predicted, min, max, scoreOf, threshold } : null;
}

/** The address with the panel open on these images, or closed. */
export function withBehind(search: QualitySearch, behind: Behind | null): QualitySearch {
  const closed = { outcome: undefined, label: undefined, predicted: undefined, image: undefined };
  const numbers = { min: undefined, max: undefined, scoreOf: undefined, threshold: undefined };
  const next = { ...search, ...closed, ...numbers, ...behind };
  return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined));
}

/** The query of the HTTP interface. */
export function outcomeQuery(behind: Behind, offset: number, size: number) {
  const { outcome, label, predicted, min, max, scoreOf, threshold } = behind;
  return {
    ...(outcome === "all" ? {} : { outcome }),
    ...(label === undefined ? {} : { label }),
    ...(predicted === undefined ? {} : { predicted }),
    ...(min === undefined ? {} : { min_score: min }),
    ...(max === undefined ? {} : { max_score: max }),
    ...(scoreOf === undefined ? {} : { score_of: scoreOf }),
    ...(threshold === undefined ? {} : { threshold }),
    offset,
    page_size: size,
  };
}
