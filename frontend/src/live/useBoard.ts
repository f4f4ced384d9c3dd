import { plural } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import { useEffect, useRef, useState } from "react";
import { uuid } from "../api/ids";
import type { Label } from "../api/types";
import { bulk } from "../gallery/bulk";
import { useHistory } from "../history/history";
import { tellProblem } from "../history/tell";
import { type Guess, imagesByLabel, isChosen, openGuesses } from "./guesses";
import { useGuesses } from "./queries";
import { chosenFrom, type LiveSearch } from "./search";

/**
 * The guesses that are shown, which of them are chosen, and what is done with them.
 *
 * @param isComplete - Every label has images to learn from. Without, images of the others get a wrong guess, however confident
 *   it is, and none is chosen before somebody has looked at it.
 */
export function useBoard(
  project: string,
  search: LiveSearch,
  version: number,
  labels: readonly Label[],
  isComplete: boolean,
) {
  const { t } = useLingui();
  const order = isComplete ? (search.order ?? "most_confident") : "least_confident";
  const least = chosenFrom(order, search.min);
  const [round, setRound] = useState(0);
  const [choices, setChoices] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [labelled, setLabelled] = useState<ReadonlyMap<string, number>>(new Map());
  const [isBusy, setIsBusy] = useState(false);
  const [confirmed, setConfirmed] = useState(0);
  const undone = useHistory(({ future }) => future.length);
  const undoneBefore = useRef(undone);
  const [isFollowing, setIsFollowing] = useState(false);
  const query = useGuesses(project, search, round);
  const pages = query.data?.pages ?? [];
  const known = new Set(labels.map(({ id }) => id));
  const guesses = openGuesses(pages, labelled).filter(({ label }) => known.has(label));
  const chosen = guesses.filter((guess) => isChosen(guess, choices, least));
  const isNewer = pages[0] !== undefined && version > pages[0].version;
  const again = () => setRound((now) => now + 1);
  // Nothing is under anybody's hand, or it was just taken back: what the model has learned meanwhile is shown at once, each
  // time it learns while an undo goes on. Not while a confirmation is on its way, which asks for the next guesses itself.
  const isDue = (guesses.length === 0 || isFollowing) && isNewer && !isBusy && !query.isFetching;
  useEffect(() => {
    if (isDue) setRound((now) => now + 1);
  }, [isDue]);
  useEffect(() => {
    if (undone > 0) setConfirmed(0);
    if (undone > undoneBefore.current) setIsFollowing(true);
    undoneBefore.current = undone;
  }, [undone]);

  const mark = (images: readonly string[]) =>
    setLabelled((now) => new Map([...now, ...images.map((id) => [id, round] as const)]));
  const unmark = (images: readonly string[]) =>
    setLabelled((now) => new Map([...now].filter(([id]) => !images.includes(id))));
  /** Labels images, which leave the page at once, in a step that is undone as one. */
  const give = async (title: string, groups: ReadonlyMap<string, string[]>): Promise<number> => {
    const step = uuid();
    setIsFollowing(false);
    let changed = 0;
    mark([...groups.values()].flat());
    const left = new Map(groups);
    try {
      for (const [label, images] of groups) {
        changed += (await bulk(project, title, { action: "label", label, images }, step)).changed;
        left.delete(label);
      }
    } catch (problem) {
      unmark([...left.values()].flat());
      tellProblem(problem);
    }
    return changed;
  };
  const confirm = async () => {
    if (isBusy || chosen.length === 0 || query.isPlaceholderData) return;
    const count = chosen.length;
    const title = t`Confirm ${plural(count, { one: "# guess", other: "# guesses" })}`;
    setIsBusy(true);
    const changed = await give(title, imagesByLabel(chosen));
    setIsBusy(false);
    setConfirmed(changed);
    again();
  };
  const correct = useRef<(image: string, label: Label) => void>(() => undefined);
  correct.current = (image, label) => {
    const guess = guesses.find((one) => one.image.id === image);
    if (!guess || isBusy) return;
    void give(t`Label ${label.name} (${guess.image.filename})`, new Map([[label.id, [image]]]));
  };
  return {
    ...query,
    guesses,
    chosen,
    least,
    isBusy,
    /** How many images the last confirmation has labelled, until that is undone. */
    confirmed,
    isNewer,
    again,
    confirm,
    correct: (image: string, label: Label) => correct.current(image, label),
    isChosen: (guess: Guess) => isChosen(guess, choices, least),
    toggle: (guess: Guess) => {
      setIsFollowing(false);
      setChoices((now) => new Map(now).set(guess.image.id, !isChosen(guess, now, least)));
    },
    chooseAll: (areChosen: boolean) =>
      setChoices((now) => new Map([...now, ...guesses.map(({ image }) => [image.id, areChosen] as const)])),
  };
}
