import { Trans, useLingui } from "@lingui/react/macro";
import { Text, UnstyledButton } from "@mantine/core";
import type { Label } from "../../api/types";
import type { GridImage } from "../../gallery/queries";
import { useShortcut } from "../../keyboard/useShortcut";
import { useGuess, useLiveModel } from "../../live/queries";
import { KeyHint } from "../../ui/KeyHint";
import { Swatch } from "../../ui/LabelChip";
import { formatPercent } from "../../ui/numbers";
import classes from "../Labeling.module.css";
import { isOpen } from "../useWork";

interface Props {
  project: string;
  image: GridImage;
  labels: readonly Label[];
  /** Whether images may have none to many labels. */
  hasSeveral: boolean;
  mayEdit: boolean;
  accept: (labels: Label[]) => void;
}

/** What the live model guesses of the image, to be accepted by one key. */
export function GuessHint({ project, image, labels, hasSeveral, mayEdit, accept }: Props) {
  const { t, i18n } = useLingui();
  const { data: live } = useLiveModel(project);
  const guess = useGuess(project, isOpen(image) ? image.id : undefined);
  const said = new Set(guess?.labels.map(({ label }) => label));
  const own = labels.filter(({ id }) => said.has(id));
  const isKnown = guess !== undefined && own.length === said.size;
  const names = own.map(({ name }) => name).join(", ");
  useShortcut({
    id: "labeling.guess",
    scope: t`Labelling`,
    title: t`Accept the guess`,
    keys: "Enter",
    disabled: !mayEdit || !isKnown,
    run: () => accept(own),
  });
  // What lies below would jump where one image has a guess and the next has none.
  if (!live?.guesses) return null;
  return (
    <div className={hasSeveral ? `${classes.hint} ${classes.tall}` : classes.hint}>
      {guess && isKnown && (
        <UnstyledButton className={classes.guess} disabled={!mayEdit} onClick={() => accept(own)}>
          {!hasSeveral && own[0] && <Swatch color={own[0].color ?? "#888"} size={13} />}
          <Text span size="sm" className={classes.text}>
            {own.length > 0 ? (
              <Trans>
                Probably {names}, {formatPercent(guess.confidence, i18n.locale)}
              </Trans>
            ) : (
              <Trans>Probably none of the labels, {formatPercent(guess.confidence, i18n.locale)}</Trans>
            )}
          </Text>
          <KeyHint size="sm">Enter</KeyHint>
        </UnstyledButton>
      )}
    </div>
  );
}
