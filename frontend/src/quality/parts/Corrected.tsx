import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { formatNumber, formatPercent } from "../../ui/numbers";
import type { Evaluation } from "../queries";

type Metrics = Extract<Evaluation["metrics"], { task: "classification" | "multilabel" }>;

/** How its confidence was corrected by a temperature when it was trained, or why it was not. */
export function Corrected({ metrics: { temperature_scaling: scaling } }: { metrics: Metrics }) {
  const { i18n } = useLingui();
  if (!scaling) return null;
  const percent = (share: number | null) => formatPercent(share ?? 0, i18n.locale, 1);
  return (
    <Text size="sm" className="quiet">
      {scaling.reason ? (
        <Trans>
          Its confidence is as the network gives it. Correcting it takes 50 images in the validation split,
          and a network that ends in a layer of its own for the labels.
        </Trans>
      ) : (
        <Trans>
          Corrected by a temperature of {formatNumber(scaling.temperature, i18n.locale)}: on average
          confidence and accuracy are {percent(scaling.error_after)} apart, without it{" "}
          {percent(scaling.error_before)}.
        </Trans>
      )}
    </Text>
  );
}
