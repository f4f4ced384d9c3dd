import { plural } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import { useEffect, useRef, useState } from "react";
import { uuid } from "../api/ids";
import type { Label } from "../api/types";
import { bulk } from "../gallery/bulk";
import { useHistory } from "../history/history";
import { tellProblem } from "../history/tell";
import {
  corrected,
  type Guess,
  imagesByLabels,
  isChosen,
  type Labelling,
  labelsWith,
  openGuesses,
} from "./guesses";
import { useGuesses } from "./queries";
import { chosenFrom, type LiveSearch } from "./search";

/**
 * The guesses that are shown, which of them are chosen, and what is done with them.
 *
 * @param hasSeveral - Images may have none to many labels.
 * @param isComplete - Every label has images to learn from. Without, images of the others get a wrong guess, however confident
 *   it is, and none is chosen before somebody has looked at it.
 */
export function useBoard(
  project: string,
  search: LiveSearch,
  version: number,
  labels: readonly Label[],
  hasSeveral: boolean,
  isComplete: boolean,
) {
  const { t } = useLingui();
  const order = isComplete ? (search.order ?? "most_confident") : "least_confident";
  const least = chosenFrom(order, search.min);
  const [round, setRound] = useState(0);
  const [choices, setChoices] = useState<ReadonlyMap<string, boolean>>(new Map());
  /** Labels of images of which somebody has taken some away, or given more. */
  const [corrections, setCorrections] = useState<ReadonlyMap<string, string[]>>(new Map());
  const [labelled, setLabelled] = useState<ReadonlyMap<string, number>>(new Map());
  const [isBusy, setIsBusy] = useState(false);
  const [confirmed, setConfirmed] = useState(0);
  const undone = useHistory(({ future }) => future.length);
  const undoneBefore = useRef(undone);
  const [isFollowing, setIsFollowing] = useState(false);
  const query = useGuesses(project, search, round);
  const pages = query.data?.pages ?? [];
  const known = new Set(labels.map(({ id }) => id));
  const guesses = openGuesses(pages, labelled)
    .map((guess) => corrected(guess, corrections.get(guess.image.id)))
    .filter((guess) => guess.labels.every(({ label }) => known.has(label)));
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
  const give = async (title: string, groups: readonly Labelling[]): Promise<number> => {
    const step = uuid();
    setIsFollowing(false);
    let changed = 0;
    mark(groups.flatMap(({ images }) => images));
    const left = new Set(groups);
    try {
      for (const group of groups) {
        const { labels: own, images } = group;
        const change = hasSeveral
          ? ({ action: "set_labels", labels: own, images } as const)
          : ({ action: "label", label: own[0] ?? "", images } as const);
        changed += (await bulk(project, title, change, step)).changed;
        left.delete(group);
      }
    } catch (problem) {
      unmark([...left].flatMap(({ images }) => images));
      tellProblem(problem);
    }
    return changed;
  };
  const confirm = async () => {
    if (isBusy || chosen.length === 0 || query.isPlaceholderData) return;
    const count = chosen.length;
    const title = t`Confirm ${plural(count, { one: "# guess", other: "# guesses" })}`;
    setIsBusy(true);
    const changed = await give(title, imagesByLabels(chosen));
    setIsBusy(false);
    setConfirmed(changed);
    again();
  };
  const correct = useRef<(image: string, label: Label) => void>(() => undefined);
  correct.current = (image, label) => {
    const guess = guesses.find((one) => one.image.id === image);
    if (!guess || isBusy) return;
    if (hasSeveral) {
      // The others may have to be corrected too: it is confirmed with them.
      setIsFollowing(false);
      setCorrections((now) => new Map(now).set(image, labelsWith(guess, label.id)));
      setChoices((now) => new Map(now).set(image, true));
      return;
    }
    void give(t`Label ${label.name} (${guess.image.filename})`, [{ labels: [label.id], images: [image] }]);
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
