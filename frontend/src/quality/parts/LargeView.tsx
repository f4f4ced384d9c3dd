import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Loader, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { isInTheWay } from "../../api/errors";
import { Icon } from "../../ui/Icon";
import { KeyHint } from "../../ui/KeyHint";
import { formatPercent } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import classes from "../Quality.module.css";
import { type ExplanationResult, explain, type Outcome, useJob } from "../queries";
import { Boxes, Legend } from "./Boxes";
import { useImageName } from "./Tile";

interface Props {
  model: string;
  outcome: Outcome;
  /** The label whose evidence is shown; of a classifier what it said. */
  label: string | undefined;
  edit: () => void;
}

/** One image as large as there is room, what is annotated, what was said, and why. */
export function LargeView({ model, outcome, label, edit }: Props) {
  const { t } = useLingui();
  const [job, setJob] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const name = useImageName(outcome);
  const { width, height, boxes } = outcome;
  const ask = async () => {
    setError(null);
    await explain(model, outcome.image, label).then(setJob, setError);
  };
  return (
    <Stack gap="xs">
      <div className={job ? classes.pair : undefined}>
        {width && height ? (
          <svg className={classes.large} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={name}>
            <image href={addressOf(outcome)} width={width} height={height} />
            {boxes && <Boxes boxes={boxes} size={Math.max(width, height)} hasNames />}
          </svg>
        ) : (
          <Text className="quiet">
            <Trans>The image is gone, with its dataset.</Trans>
          </Text>
        )}
        {job && <Explanation job={job} name={name} />}
      </div>
      {boxes ? <Legend boxes={boxes} /> : <Answer outcome={outcome} />}
      <Text size="sm" className="quiet">
        {name}
      </Text>
      <Problem error={error} />
      {!outcome.is_deleted && (
        <Group gap="xs">
          <Button
            size="compact-sm"
            leftSection={<Icon name="pencil" size={16} />}
            rightSection={<KeyHint>E</KeyHint>}
            onClick={edit}
          >
            <Trans>Open in the annotator</Trans>
          </Button>
          {!job && (
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<Icon name="bulb" size={16} />}
              onClick={() => void ask()}
              title={t`Parts of the image are covered one after the other: what lowers the score most, it looks at.`}
            >
              <Trans>Where does it look?</Trans>
            </Button>
          )}
        </Group>
      )}
    </Stack>
  );
}

/** The whole image as a browser can show it; of a deleted one the largest thumbnail that is kept. */
function addressOf({ image, is_deleted: isDeleted, thumbnail }: Outcome): string | undefined {
  if (!thumbnail) return undefined;
  const address = new URL(thumbnail, location.origin);
  if (isDeleted) {
    address.searchParams.set("size", "512");
    return `${address.pathname}${address.search}`;
  }
  return `/api/v1/images/${image}/rendition/?max=2048&v=${address.searchParams.get("v") ?? ""}`;
}

function Answer({ outcome }: { outcome: Outcome }) {
  const { t, i18n } = useLingui();
  const { label, predicted, score = 0, label_score: own = 0 } = outcome;
  if (outcome.labels) {
    const none = t`none of the labels`;
    return (
      <Text>
        <Trans>
          It is annotated with <b>{outcome.labels.join(", ") || none}</b>; the model says{" "}
          <b>{outcome.predicted_labels?.join(", ") || none}</b>.
        </Trans>
      </Text>
    );
  }
  const [said, kept] = [formatPercent(score, i18n.locale, 1), formatPercent(own, i18n.locale, 1)];
  return (
    <Text>
      {label === predicted ? (
        <Trans>
          It is annotated as <b>{label}</b>, and so says the model, {said} sure.
        </Trans>
      ) : (
        <Trans>
          It is annotated as <b>{label}</b>; the model says <b>{predicted}</b>, {said} sure, and gives {label}{" "}
          {kept}.
        </Trans>
      )}
    </Text>
  );
}

/** What the score loses when a part is covered, in warm colours over the image. */
function Explanation({ job: id, name }: { job: string; name: string }) {
  const { t } = useLingui();
  const { data: job, error } = useJob(id);
  if (isInTheWay(error, job) || job?.state === "failed" || job?.state === "cancelled")
    return <Problem error={error ?? new Error(job?.error?.detail ?? t`It was cancelled.`)} />;
  if (job?.state !== "succeeded")
    return (
      <Stack align="center" justify="center" mih={160} role="status">
        <Loader size="sm" />
        <Text size="sm" className="quiet">
          <Trans>Parts of the image are covered one after the other…</Trans>
        </Text>
      </Stack>
    );
  const { label = "" } = job.result as unknown as ExplanationResult;
  return (
    <figure style={{ margin: 0 }}>
      <img
        className={classes.large}
        style={{ objectFit: "contain" }}
        src={`/api/v1/jobs/${id}/files/explanation.png/`}
        alt={t`${name}, warm where something speaks for ${label}`}
      />
      <Text component="figcaption" size="xs" className="quiet" mt={4}>
        <Trans>Warm colours speak for {label}: without these parts it is less sure.</Trans>
      </Text>
    </figure>
  );
}
