import { Trans, useLingui } from "@lingui/react/macro";
import { Text, UnstyledButton } from "@mantine/core";
import classes from "../Map.module.css";
import { type Style, stamp } from "../paint";

interface Props {
  styles: readonly Style[];
  names: readonly string[];
  counts: readonly number[];
  /** The place of the label that alone is bright. */
  only: number | null;
  choose: (place: number | null) => void;
}

const RADIUS = 6;

/** Each label with the form and colour of its points. A press leaves that one bright alone. */
export function Legend({ styles, names, counts, only, choose }: Props) {
  const { t } = useLingui();
  const used = styles.map((_, place) => place).filter((place) => (counts[place] ?? 0) > 0);
  return (
    <section aria-label={t`Labels on the map`}>
      <Text size="xs" className="quiet" mb={2}>
        <Trans>Press a label to see it alone.</Trans>
      </Text>
      {used.map((place) => (
        <UnstyledButton
          key={place}
          className={classes.entry}
          aria-pressed={only === place}
          onClick={() => choose(only === place ? null : place)}
        >
          <FormSign style={styles[place] as Style} />
          <span className={classes.name}>{names[place] ?? ""}</span>
          <span className={classes.number}>{counts[place]}</span>
        </UnstyledButton>
      ))}
    </section>
  );
}

function FormSign({ style }: { style: Style }) {
  const places = stamp(style.form, RADIUS);
  let path = "";
  for (let at = 0; at < places.length; at += 2)
    path += `M${(places[at] ?? 0) + 8} ${(places[at + 1] ?? 0) + 8}h1v1h-1z`;
  return (
    <svg className={classes.form} viewBox="0 0 17 17" aria-hidden="true">
      <path d={path} fill={style.color} />
    </svg>
  );
}
