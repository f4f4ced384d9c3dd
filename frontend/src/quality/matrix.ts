import type { Behind } from "./search";

/** More labels than this are no table any more, but a list of what is confused most. */
export const MOST_LABELS = 100;

export interface Confusion {
  row: number;
  column: number;
  count: number;
  /** Of all that have this label. */
  share: number;
}

/** What is taken for what, the most frequent first. */
export function confusions(matrix: number[][]): Confusion[] {
  return matrix
    .flatMap((counts, row) => {
      const all = total(counts);
      return counts.map((count, column) => ({ row, column, count, share: all ? count / all : 0 }));
    })
    .filter(({ row, column, count }) => row !== column && count > 0)
    .sort((one, other) => other.count - one.count || other.share - one.share);
}

export const total = (counts: number[]) => counts.reduce((sum, count) => sum + count, 0);

/** How dark a cell is, 0 to 1: of its row, so that a rare label is seen like a frequent one. */
export function heat(counts: number[], column: number): number {
  const all = total(counts);
  return all ? (counts[column] ?? 0) / all : 0;
}

/** The images of a cell. The last row and column of a detector's matrix are of nothing. */
export function cellOf(names: string[], row: number, column: number): Behind {
  return { outcome: "cell", label: names[row], predicted: names[column] };
}

/** Rows and columns whose labels have the words in them; those with a confusion among them stay together. */
export function matching(names: string[], words: string): number[] {
  const wanted = words.trim().toLowerCase();
  return names.flatMap((name, place) => (name.toLowerCase().includes(wanted) ? [place] : []));
}

const STEPS: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** The next cell with images in the direction of a key; the one where one is, where there is none. */
export function nextCell(
  matrix: number[][],
  rows: number[],
  columns: number[],
  [row, column]: [number, number],
  key: string,
): [number, number] | null {
  const step = STEPS[key];
  if (!step) return null;
  let [down, across] = [rows.indexOf(row) + step[0], columns.indexOf(column) + step[1]];
  while (down >= 0 && down < rows.length && across >= 0 && across < columns.length) {
    const found: [number, number] = [rows[down] ?? 0, columns[across] ?? 0];
    if (matrix[found[0]]?.[found[1]]) return found;
    down += step[0];
    across += step[1];
  }
  return [row, column];
}
