/** The parts of a model card that a page shows. */
export interface Card {
  limits: string[];
  dataset: string | null;
  snapshot: number | null;
  digest: string | null;
  splits: [string, number][];
  settings: [string, string][];
  versions: [string, string][];
  input: string | null;
  output: string | null;
  seconds: number | null;
  memoryBytes: number | null;
}

type Tree = Record<string, unknown>;
const tree = (value: unknown): Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Tree) : {};
const text = (value: unknown) => (typeof value === "string" ? value : null);
const number = (value: unknown) => (typeof value === "number" ? value : null);

/** Reads a card of this release or an earlier one: what it does not have is left out. */
export function readCard(value: unknown): Card {
  const card = tree(value);
  const [data, input, actual] = [tree(card.data), tree(card.input), tree(card.actual)];
  const size = Array.isArray(input.size) ? ` (${[...input.size].reverse().join(" × ")} px)` : "";
  const values = text(input.values);
  return {
    limits: Array.isArray(card.limits) ? card.limits.filter((line) => typeof line === "string") : [],
    dataset: text(data.dataset),
    snapshot: number(data.snapshot),
    digest: text(data.digest),
    splits: Object.entries(tree(tree(data.counts).splits)).flatMap(([name, count]) =>
      typeof count === "number" ? [[name, count] as [string, number]] : [],
    ),
    settings: Object.entries(tree(card.configuration)).flatMap(([name, setting]) =>
      setting === null || typeof setting === "object"
        ? []
        : [[name.replaceAll("_", " "), String(setting)] as [string, string]],
    ),
    versions: Object.entries(tree(card.versions)).map(([name, version]) => [name, String(version)]),
    input: values === null ? null : `${values}${size}`,
    output: text(input.output),
    seconds: number(actual.seconds),
    memoryBytes: number(actual.memory_bytes),
  };
}
