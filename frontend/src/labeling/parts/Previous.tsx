import { useLingui } from "@lingui/react/macro";
import { UnstyledButton } from "@mantine/core";
import type { Label } from "../../api/types";
import type { GridImage } from "../../gallery/queries";
import classes from "../Labeling.module.css";

/** The image before, small, with what it was called: a slip is seen at once and taken back by one key. */
export function Previous({
  previous,
  labels,
  back,
}: {
  previous: GridImage | undefined;
  labels: Label[];
  back: () => void;
}) {
  const { t } = useLingui();
  if (!previous) return null;
  const label = labels.find(({ id }) => id === previous.labels[0]);
  return (
    <UnstyledButton className={classes.previous} onClick={back} aria-label={t`Back to ${previous.filename}`}>
      <img src={previous.thumbnail} alt="" />
      <span>{label?.name ?? t`skipped`}</span>
    </UnstyledButton>
  );
}
