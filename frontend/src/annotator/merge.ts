import type { Mark } from "./store";

const EDGE_TOLERANCE = 0.1;

/**
 * Takes one change back, or does it again, on what is there now: `left` is what the change had left, `goal` what it goes back to.
 * What others did meanwhile stays. Null: nothing of the change is left to take back.
 */
export function merged(left: readonly Mark[], goal: readonly Mark[], now: readonly Mark[]): Mark[] | null {
  const [from, to] = alignedTo(now, left, goal);
  const before = new Map(from.map((mark) => [mark.id, mark]));
  const after = new Map(to.map((mark) => [mark.id, mark]));
  const present = new Map(now.map((mark) => [mark.id, mark]));
  // The one label of an image has no place of its own beside another's: theirs stays.
  const isReplaced = !sameLabels(from, now);
  let isChanged = false;
  const kept = now.flatMap((mark) => {
    const was = before.get(mark.id);
    const wanted = after.get(mark.id);
    if (!was || !isSame(was, mark) || (mark.box === null && isReplaced)) return [mark];
    if (wanted && isSame(was, wanted)) return [mark];
    isChanged = true;
    return wanted ? [{ ...wanted, ...shown(mark) }] : [];
  });
  const back = to.filter(
    ({ id, box }) => !before.has(id) && !present.has(id) && !(box === null && isReplaced),
  );
  return isChanged || back.length > 0 ? [...kept, ...back] : null;
}

/**
 * Both with the ids of what is there. Of a label that an image had before the change, lists of images do not tell which mark it
 * is; but each label of a whole image is there once.
 */
function alignedTo(
  now: readonly Mark[],
  from: readonly Mark[],
  to: readonly Mark[],
): [readonly Mark[], readonly Mark[]] {
  const present = new Set(now.map(({ id }) => id));
  const idOf = new Map(now.flatMap(({ id, label, box }) => (box === null ? [[label, id] as const] : [])));
  const stayed = new Set(from.map(({ id }) => id).filter((id) => to.some((mark) => mark.id === id)));
  const aligned = (marks: readonly Mark[]) =>
    marks.map((mark) => {
      const id = idOf.get(mark.label);
      const isUnknown = mark.box === null && stayed.has(mark.id) && !present.has(mark.id);
      return isUnknown && id !== undefined ? { ...mark, id } : mark;
    });
  return [aligned(from), aligned(to)];
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
