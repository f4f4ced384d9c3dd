import type { components } from "../api/schema";

export type Hit = components["schemas"]["SearchHit"];
export type Kind = components["schemas"]["SearchKind"];

/** The kinds of hits that have a page of their own, in the order in which they are shown. */
export const kinds = [
  "project",
  "dataset",
  "label",
  "image",
  "snapshot",
  "model",
  "training",
  "video",
] as const;

export interface SearchAddress {
  q?: string;
  project?: string;
  kind?: Kind;
}

/** Reads an address. A number is what a router makes of digits. */
export function readSearch(search: Record<string, unknown>): SearchAddress {
  const text = (value: unknown) =>
    typeof value === "string" || typeof value === "number"
      ? String(value).slice(0, 100) || undefined
      : undefined;
  return { q: text(search.q), project: text(search.project), kind: kinds.find((one) => one === search.kind) };
}

/** Where a hit is seen; null: it has no page yet. */
export function addressOf(kind: Kind, hit: Pick<Hit, "id" | "project" | "dataset">): string | null {
  const base = `/projects/${hit.project}`;
  switch (kind) {
    case "project":
      return `/projects/${hit.id}`;
    case "dataset":
      return `${base}/images?dataset=${hit.id}`;
    case "label":
      return `${base}/images?label=${encodeURIComponent(`["${hit.id}"]`)}`;
    case "image":
      return `${base}/images/${hit.id}`;
    case "snapshot":
      return `${base}/snapshots/${hit.id}`;
    case "model":
      return `${base}/models/${hit.id}`;
    case "training":
      return `${base}/trainings/${hit.id}`;
    case "video":
      return `${base}/videos/${hit.id}`;
    default:
      return null;
  }
}
