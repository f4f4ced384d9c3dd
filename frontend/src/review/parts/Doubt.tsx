import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import type { Label } from "../../api/types";
import { LabelChip } from "../../ui/LabelChip";
import classes from "../Review.module.css";
import type { Suspect } from "../suspects";

/** What is annotated, and what the model believes, each with how far it believes it. */
export function Doubt({ suspect, labels }: { suspect: Suspect; labels: Label[] }) {
  const chip = (name: string) => (
    <LabelChip label={labels.find((label) => label.name === name) ?? { name, color: "#888888" }} />
  );
  const { i18n } = useLingui();
  const { kind, label, suggested, quality, suggested_score: score } = suspect;
  const times = i18n.number(1 / Math.max(0.01, quality), { maximumFractionDigits: 1 });
  return (
    <div>
      <Text size="xs" className="quiet" truncate>
        {suspect.image.filename}
      </Text>
      <Text size="sm" my={6}>
        {kind === "not_drawn" && <Trans>The model is sure of a box that nobody drew.</Trans>}
        {kind === "not_seen" && <Trans>The model sees nothing in this box.</Trans>}
        {kind === "label" && <Trans>Another label is more likely.</Trans>}
        {kind === "wrong" && <Trans>The image does not seem to have this label.</Trans>}
        {kind === "missing" && <Trans>A label seems to be missing.</Trans>}
        {kind === "outlier" && label && (
          <Trans>Unlike all others of its label: its nearest images are {times} times as far as usual.</Trans>
        )}
        {kind === "outlier" && !label && (
          <Trans>Unlike all other images: its nearest ones are {times} times as far as usual.</Trans>
        )}
      </Text>
      <div className={classes.doubt}>
        {label && (
          <>
            <div>
              <Text size="xs" className="quiet">
                <Trans>Annotated</Trans>
              </Text>
              {chip(label)}
            </div>
            {(kind === "label" || kind === "wrong") && <Share value={quality} />}
          </>
        )}
        {suggested && (
          <>
            <div>
              <Text size="xs" className="quiet">
                {kind === "missing" ? <Trans>Missing</Trans> : <Trans>More likely</Trans>}
              </Text>
              {chip(suggested)}
            </div>
            {score !== null ? <Share value={score} /> : <span />}
          </>
        )}
      </div>
    </div>
  );
}

function Share({ value }: { value: number }) {
  return (
    <Text fw={650} style={{ fontVariantNumeric: "tabular-nums" }}>
      {Math.round(100 * value)} %
    </Text>
  );
}
