/** What the gallery shows, as it stands in the address. */
export interface Filter {
  dataset?: string;
  /** Whose frames. */
  video?: string;
  /** Where they came from, as the images say it: of a device `device NAME (END OF ITS ID)`. */
  source?: string;
  /** Sent back by devices. */
  from_devices?: boolean;
  label?: string[];
  without_label?: string[];
  split?: "train" | "validation" | "test" | "none";
  annotated?: boolean;
  reviewed?: boolean;
  has_suggestions?: boolean;
  origin?: "human" | "imported" | "model" | "none";
  q?: string;
  min_score?: number;
  ordering?: Ordering;
  seed?: number;
  size?: TileSize;
}

export const orderings = ["-id", "id", "filename", "-filename", "-size", "uncertainty", "random"] as const;
export type Ordering = (typeof orderings)[number];
export const tileSizes = { s: 112, m: 176, l: 280 } as const;
export type TileSize = keyof typeof tileSizes;

const splits = ["train", "validation", "test", "none"] as const;
const origins = ["human", "imported", "model", "none"] as const;

/** Reads an address. What is odd in it is left out, so an old or cut link still opens. */
export function readFilter(search: Record<string, unknown>): Filter {
  return clean({
    dataset: text(search.dataset),
    video: text(search.video),
    source: text(search.source),
    from_devices: flag(search.from_devices),
    label: texts(search.label),
    without_label: texts(search.without_label),
    split: among(splits, search.split),
    annotated: flag(search.annotated),
    reviewed: flag(search.reviewed),
    has_suggestions: flag(search.has_suggestions),
    origin: among(origins, search.origin),
    q: text(search.q),
    min_score: number(search.min_score),
    ordering: among(orderings, search.ordering),
    seed: number(search.seed),
    size: among(["s", "m", "l"] as const, search.size),
  });
}

/** The query of the HTTP interface. Size is of the page alone. */
export function toQuery(project: string, filter: Filter): URLSearchParams {
  const query = new URLSearchParams({ project });
  const { size: _, ordering, ...rest } = filter;
  for (const [name, value] of Object.entries(rest))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) query.append(name, String(one));
  query.set("ordering", ordering ?? "-id");
  return query;
}

/** The filter without what says how it is shown: two pages with the same show the same images. */
export function isFiltered({ size: _, ordering: __, seed: ___, ...rest }: Filter): boolean {
  return Object.keys(clean(rest)).length > 0;
}

export function toggled(list: string[] | undefined, value: string): string[] | undefined {
  const found = list?.includes(value) ? list.filter((one) => one !== value) : [...(list ?? []), value];
  return found.length > 0 ? found : undefined;
}

function clean<Shape extends object>(values: Shape): Shape {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Shape;
}

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
const number = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value : undefined);
const flag = (value: unknown) => (typeof value === "boolean" ? value : undefined);

function texts(value: unknown): string[] | undefined {
  const list = (Array.isArray(value) ? value : [value]).filter(
    (one) => typeof one === "string" && one !== "",
  );
  return list.length > 0 ? (list as string[]) : undefined;
}

function among<Value extends string>(values: readonly Value[], value: unknown): Value | undefined {
  return values.find((one) => one === value);
}
