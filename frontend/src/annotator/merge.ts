import type { Mark } from "./store";

const EDGE_TOLERANCE = 0.1;

/**
 * Takes one change back, or does it again, on what is there now: `from` is what the change had left, `to` what it goes back to.
 * What others did meanwhile stays. Null: nothing of the change is left to take back.
 */
export function merged(from: readonly Mark[], to: readonly Mark[], now: readonly Mark[]): Mark[] | null {
  const before = new Map(from.map((mark) => [mark.id, mark]));
  const after = new Map(to.map((mark) => [mark.id, mark]));
  const present = new Map(now.map((mark) => [mark.id, mark]));
  // The one label of an image has no place of its own beside another's: theirs stays.
  const isReplaced = !sameLabels(from, now);
  let isChanged = false;
  const kept = now.flatMap((mark) => {
    const left = before.get(mark.id);
    const wanted = after.get(mark.id);
    if (!left || !isSame(left, mark) || (mark.box === null && isReplaced)) return [mark];
    if (wanted && isSame(left, wanted)) return [mark];
    isChanged = true;
    return wanted ? [{ ...wanted, ...shown(mark) }] : [];
  });
  const back = to.filter(
    ({ id, box }) => !before.has(id) && !present.has(id) && !(box === null && isReplaced),
  );
  return isChanged || back.length > 0 ? [...kept, ...back] : null;
}

function isSame(one: Mark, other: Mark): boolean {
  if (one.label !== other.label || one.confirmed !== other.confirmed) return false;
  if (!one.box || !other.box) return one.box === other.box;
  const { box } = other;
  // The server rounds edges.
  return one.box.every((edge, place) => Math.abs(edge - (box[place] ?? Number.NaN)) < EDGE_TOLERANCE);
}

function sameLabels(one: readonly Mark[], other: readonly Mark[]): boolean {
  const names = (marks: readonly Mark[]) =>
    marks
      .filter(({ box }) => box === null)
      .map(({ id, label }) => `${id} ${label}`)
      .sort();
  return String(names(one)) === String(names(other));
}

function shown({ isHidden, isLocked }: Mark): Pick<Mark, "isHidden" | "isLocked"> {
  return { ...(isHidden === undefined ? {} : { isHidden }), ...(isLocked === undefined ? {} : { isLocked }) };
}
