/** Which groups of duplicates are shown. */
export const duplicateKinds = ["open", "exact", "leaks", "label_conflicts", "by_features", "kept"] as const;
export type DuplicateKind = (typeof duplicateKinds)[number];

export interface DuplicatesSearch {
  dataset?: string;
  kind?: DuplicateKind;
}

/** Reads an address. What is odd in it is left out. */
export function readDuplicatesSearch(search: Record<string, unknown>): DuplicatesSearch {
  const dataset = typeof search.dataset === "string" && search.dataset !== "" ? search.dataset : undefined;
  return { dataset, kind: duplicateKinds.find((one) => one === search.kind) };
}

/** The query of the HTTP interface for a kind of groups. */
export function queryOf(kind: DuplicateKind): Record<string, string> {
  const filters: Record<DuplicateKind, Record<string, string>> = {
    open: {},
    exact: { is_exact: "true" },
    leaks: { is_leak: "true" },
    label_conflicts: { has_label_conflict: "true" },
    by_features: { by_features: "true" },
    kept: { is_kept: "true" },
  };
  return { is_kept: "false", ...filters[kind] };
}

interface Copy {
  id: string;
  width: number;
  height: number;
  size: number;
  created_at: string;
  annotations: readonly { confirmed: boolean; label: string }[];
}

/** Which of the copies is worth keeping: labelled before unlabelled, then the most pixels, the largest file, the earliest. */
export function bestOf<Image extends Copy>(images: readonly Image[]): Image | undefined {
  const worth = (image: Image) => [
    Number(image.annotations.some(({ confirmed }) => confirmed)),
    image.width * image.height,
    image.size,
    -Date.parse(image.created_at),
  ];
  return images.toSorted((one, other) => {
    const [mine, theirs] = [worth(one), worth(other)];
    const at = mine.findIndex((value, place) => value !== theirs[place]);
    return at < 0 ? 0 : (theirs[at] ?? 0) - (mine[at] ?? 0);
  })[0];
}

/** Ids of the labels that are confirmed on an image, each once. */
export function confirmedLabels(image: Pick<Copy, "annotations">): string[] {
  return [
    ...new Set(image.annotations.filter(({ confirmed }) => confirmed).map(({ label }) => label)),
  ].toSorted();
}

/** Whether labelled copies carry different labels. */
export function haveConflict(images: readonly Pick<Copy, "annotations">[]): boolean {
  const kinds = images.map((image) => confirmedLabels(image).join()).filter(Boolean);
  return new Set(kinds).size > 1;
}

/** A name for a group of images that is free in all likelihood, and says what it is. */
export function groupName(filename: string, id: string): string {
  return `${filename.slice(0, 80)} (${id.slice(-6)})`;
}
