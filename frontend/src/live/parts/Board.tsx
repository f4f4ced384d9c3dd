import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Group, Loader, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { isInTheWay } from "../../api/errors";
import type { Label } from "../../api/types";
import { undo } from "../../history/history";
import { tellProblem } from "../../history/tell";
import { EmptyState } from "../../ui/EmptyState";
import { Icon } from "../../ui/Icon";
import { KeyHint } from "../../ui/KeyHint";
import { formatPercent } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import classes from "../Live.module.css";
import type { LiveSearch } from "../search";
import { useBoard } from "../useBoard";
import { useBoardKeys } from "../useBoardKeys";
import { GuessTile } from "./GuessTile";

interface Props {
  project: string;
  search: LiveSearch;
  /** Of the live model as it is now. */
  version: number;
  labels: Label[];
  /** Whether images may have none to many labels. */
  hasSeveral: boolean;
  /** Whether every label has images to learn from. */
  isComplete: boolean;
  mayEdit: boolean;
  change: (next: Partial<LiveSearch>) => void;
}

/** The guesses as tiles, and what is done with those that are chosen. */
export function Board(props: Props) {
  const { project, search, version, labels, hasSeveral, isComplete, mayEdit, change } = props;
  const { t, i18n } = useLingui();
  const board = useBoard(project, search, version, labels, hasSeveral, isComplete);
  const { guesses, chosen } = board;
  const count = chosen.length;
  const grid = useRef<HTMLUListElement>(null);
  const [place, setPlace] = useState<number | null>(null);
  const cursor = place === null || guesses.length === 0 ? null : Math.min(place, guesses.length - 1);
  // The next guesses are read from the first one on.
  const { isBusy } = board;
  useEffect(() => {
    if (!isBusy) return;
    setPlace(null);
    window.scrollTo(0, 0);
  }, [isBusy]);
  useBoardKeys({ project, board, labels, mayEdit, grid, cursor, setCursor: setPlace });
  if (isInTheWay(board.error, board.data))
    return <Problem error={board.error} retry={() => void board.refetch()} />;
  if (!board.data || (guesses.length === 0 && (board.isFetching || board.isBusy)))
    return (
      <Center mih="40vh">
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  const isFiltered = Boolean(search.label ?? search.none ?? search.dataset ?? search.min);
  if (guesses.length === 0)
    return (
      <EmptyState
        icon="circle-check"
        title={
          isFiltered ? <Trans>No guess fits these filters</Trans> : <Trans>No image waits for a label</Trans>
        }
        action={
          isFiltered && (
            <Button
              variant="default"
              onClick={() =>
                change({ label: undefined, none: undefined, dataset: undefined, min: undefined })
              }
            >
              <Trans>Show all guesses</Trans>
            </Button>
          )
        }
      />
    );
  return (
    <>
      {mayEdit && board.least !== null && (
        <Text size="sm" className="quiet">
          <Trans>
            Guesses of {formatPercent(board.least, i18n.locale)} and more are chosen. Look at them before you
            confirm.
          </Trans>
        </Text>
      )}
      <ul ref={grid} className={classes.grid} aria-label={t`Guesses`} data-testid="guesses">
        {guesses.map((guess, index) => (
          <GuessTile
            key={guess.image.id}
            project={project}
            guess={guess}
            labels={labels}
            hasSeveral={hasSeveral}
            mayEdit={mayEdit}
            isChosen={board.isChosen(guess)}
            isCursor={index === cursor}
            isReachable={index === (cursor ?? 0)}
            onToggle={() => board.toggle(guess)}
            onFocus={() => setPlace(index)}
            onCorrect={(label) => board.correct(guess.image.id, label)}
          />
        ))}
      </ul>
      {board.hasNextPage && (
        <Center>
          <Button
            variant="default"
            loading={board.isFetchingNextPage}
            onClick={() => void board.fetchNextPage()}
          >
            <Trans>Show more</Trans>
          </Button>
        </Center>
      )}
      <div className={classes.actions}>
        {mayEdit && (
          <>
            <Button
              leftSection={<Icon name="check" />}
              loading={board.isBusy}
              disabled={chosen.length === 0}
              onClick={() => void board.confirm()}
            >
              <Trans>Confirm {count}</Trans>
            </Button>
            <Button variant="default" onClick={() => board.chooseAll(chosen.length < guesses.length)}>
              {chosen.length < guesses.length ? <Trans>Choose all</Trans> : <Trans>Choose none</Trans>}
            </Button>
          </>
        )}
        {board.confirmed > 0 && (
          <Group gap={4} role="status">
            <Text size="sm">
              <Plural value={board.confirmed} one="# image labelled." other="# images labelled." />
            </Text>
            <Button size="compact-sm" variant="subtle" onClick={() => undo(project).catch(tellProblem)}>
              <Trans>Undo</Trans>
            </Button>
          </Group>
        )}
        {board.isNewer && (
          <Button variant="light" leftSection={<Icon name="refresh" size={16} />} onClick={board.again}>
            <Trans>Show newer guesses</Trans>
          </Button>
        )}
        {mayEdit && (
          <Text size="xs" className={`quiet ${classes.keys}`}>
            {hasSeveral ? (
              <Trans>
                Arrows go on, <KeyHint>Space</KeyHint> takes an image out or in, the key of a label gives that
                label or takes it away, <KeyHint>Enter</KeyHint> confirms.
              </Trans>
            ) : (
              <Trans>
                Arrows go on, <KeyHint>Space</KeyHint> takes an image out or in, the key of a label gives it
                that label, <KeyHint>Enter</KeyHint> confirms.
              </Trans>
            )}
          </Text>
        )}
      </div>
    </>
  );
}
