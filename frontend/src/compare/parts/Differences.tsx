import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { averageColor } from "../../gallery/placeholder";
import { formatPercent } from "../../ui/numbers";
import classes from "../Compare.module.css";
import type { ComparedModel, Comparison, ShownDifference } from "../queries";

const PAGE = 40;
const MOST = 200; // the studio lists no more

/** Images on which the models say different things. */
export function Differences({ project, comparison }: { project: string; comparison: Comparison }) {
  const [shown, setShown] = useState(PAGE);
  const { differences, models } = comparison;
  return (
    <Stack>
      <div>
        <Title order={2} size="h4">
          <Trans>Where they differ</Trans>
        </Title>
        <Text size="sm" className="quiet">
          {differences.length === 0 ? (
            <Trans>They say the same on every image.</Trans>
          ) : differences.length >= MOST ? (
            <Trans>The first {MOST} images, those first where one of them is right.</Trans>
          ) : (
            <Plural value={differences.length} one="On one image." other="On # images." />
          )}
        </Text>
      </div>
      <div className={classes.differences}>
        {differences.slice(0, shown).map((difference) => (
          <Tile key={difference.image} project={project} difference={difference} models={models} />
        ))}
      </div>
      {differences.length > shown && (
        <Button variant="default" onClick={() => setShown(shown + PAGE)}>
          <Trans>Show more images</Trans>
        </Button>
      )}
    </Stack>
  );
}

interface TileProps {
  project: string;
  difference: ShownDifference;
  models: ComparedModel[];
}

function Tile({ project, difference, models }: TileProps) {
  const { t } = useLingui();
  const { image, is_deleted: isDeleted, label, answers } = difference;
  const name = difference.filename ?? t`deleted since`;
  const content = (
    <>
      <span className={classes.picture} style={{ background: averageColor(difference.thumbhash) }}>
        {difference.thumbnail && (
          <img src={difference.thumbnail} alt={isDeleted ? name : ""} loading="lazy" decoding="async" />
        )}
      </span>
      <Text size="xs" truncate mt={2}>
        {name}
      </Text>
    </>
  );
  return (
    <div>
      {isDeleted ? (
        <div className={classes.tile}>{content}</div>
      ) : (
        <Link
          to="/projects/$project/images/$image"
          params={{ project, image }}
          state={{ isOnTop: true }}
          className={classes.tile}
        >
          {content}
        </Link>
      )}
      {label !== undefined && (
        <Text size="xs" fw={600} truncate>
          {label}
        </Text>
      )}
      {answers.map((answer, place) => (
        <Answer
          key={models[place]?.id}
          name={models[place] ? `${models[place].name} v${models[place].version}` : ""}
          answer={answer}
          truth={label}
        />
      ))}
    </div>
  );
}

interface AnswerProps {
  name: string;
  answer: ShownDifference["answers"][number];
  truth: string | undefined;
}

/** What one model says: in words and by a sign, not by colour alone. */
function Answer({ name, answer, truth }: AnswerProps) {
  const { t, i18n } = useLingui();
  const { label, score, false_positives: extra = 0, misses = 0 } = answer;
  const isRight = label === undefined ? extra + misses === 0 : label === truth;
  const said = label ?? (isRight ? t`no mistake` : t`${extra} too many, ${misses} missed`);
  return (
    <div className={classes.answer} title={name}>
      <span
        className={isRight ? classes.right : classes.wrong}
        role="img"
        aria-label={isRight ? t`right` : t`wrong`}
      >
        {isRight ? "✓" : "✗"}
      </span>
      <span className={classes.words}>
        <span className={`quiet ${classes.name}`}>{name}: </span>
        <span>{said}</span>
      </span>
      {typeof score === "number" && <span className="quiet">{formatPercent(score, i18n.locale)}</span>}
    </div>
  );
}
