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
  previous: (GridImage & { isNone?: boolean }) | undefined;
  labels: Label[];
  back: () => void;
}) {
  const { t } = useLingui();
  if (!previous) return null;
  const names = labels.filter(({ id }) => previous.labels.includes(id)).map(({ name }) => name);
  return (
    <UnstyledButton className={classes.previous} onClick={back} aria-label={t`Back to ${previous.filename}`}>
      <img src={previous.thumbnail} alt="" />
      <span>{names.join(", ") || (previous.isNone ? t`none of the labels` : t`skipped`)}</span>
    </UnstyledButton>
  );
}
