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

interface Props {
  project: string;
  image: GridImage;
  labels: readonly Label[];
  mayEdit: boolean;
  accept: (label: Label) => void;
}

/** What the live model guesses of the image, to be accepted by one key. */
export function GuessHint({ project, image, labels, mayEdit, accept }: Props) {
  const { t, i18n } = useLingui();
  const { data: live } = useLiveModel(project);
  const guess = useGuess(project, image.labels.length === 0 ? image.id : undefined);
  const label = labels.find(({ id }) => id === guess?.label);
  useShortcut({
    id: "labeling.guess",
    scope: t`Labelling`,
    title: t`Accept the guess`,
    keys: "Enter",
    disabled: !mayEdit || !label,
    run: () => label && accept(label),
  });
  // What lies below would jump where one image has a guess and the next has none.
  if (!live?.guesses) return null;
  return (
    <div className={classes.hint}>
      {guess && label && (
        <UnstyledButton className={classes.guess} disabled={!mayEdit} onClick={() => accept(label)}>
          <Swatch color={label.color ?? "#888"} size={13} />
          <Text span size="sm" className={classes.text}>
            <Trans>
              Probably {label.name}, {formatPercent(guess.confidence, i18n.locale)}
            </Trans>
          </Text>
          <KeyHint size="sm">Enter</KeyHint>
        </UnstyledButton>
      )}
    </div>
  );
}
