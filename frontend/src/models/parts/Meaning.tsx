import { Trans, useLingui } from "@lingui/react/macro";
import { Stack, Text } from "@mantine/core";
import { formatPercent } from "../../ui/numbers";
import type { Metrics } from "../queries";

/** What the figures of a model mean in use: in one sentence, with how sure one can be. */
export function Meaning({ metrics }: { metrics: Metrics }) {
  if (metrics.task === "detection") return <DetectorMeaning metrics={metrics} />;
  if (metrics.task === "multilabel") return <MultilabelMeaning metrics={metrics} />;
  return <ClassifierMeaning metrics={metrics} />;
}

function MultilabelMeaning({ metrics }: { metrics: Extract<Metrics, { task: "multilabel" }> }) {
  const { i18n } = useLingui();
  const { count, micro_recall: recall, micro_precision: precision } = metrics;
  const [whole, interval] = [metrics.subset_accuracy, metrics.subset_accuracy_interval];
  if (recall === undefined || precision === undefined || !count) return <NotMeasured />;
  return (
    <Stack gap={2}>
      <Text size="lg">
        <Trans>
          On images that it had never seen it gave {formatPercent(recall, i18n.locale)} of the labels that are
          there, and {formatPercent(precision, i18n.locale)} of those that it gave were right.
        </Trans>
      </Text>
      {whole !== undefined && (
        <Text size="sm" className="quiet">
          <Trans>
            {Math.round(whole * count)} of {count} images got exactly their labels.
          </Trans>
        </Text>
      )}
      <Expect interval={interval} />
    </Stack>
  );
}

function ClassifierMeaning({ metrics }: { metrics: Extract<Metrics, { task: "classification" }> }) {
  const { count, accuracy, accuracy_interval: interval } = metrics;
  if (accuracy === undefined || !count) return <NotMeasured />;
  const right = Math.round(accuracy * count);
  return (
    <Stack gap={2}>
      <Text size="lg">
        <Trans>
          It named {right} of {count} images right that it had never seen.
        </Trans>
      </Text>
      <Expect interval={interval} />
    </Stack>
  );
}

function DetectorMeaning({ metrics }: { metrics: Extract<Metrics, { task: "detection" }> }) {
  const { i18n } = useLingui();
  const { boxes, recall, precision, ap50, ap50_interval: interval } = metrics;
  if (typeof recall !== "number" || typeof precision !== "number" || !boxes) return <NotMeasured />;
  const found = Math.round(recall * boxes);
  return (
    <Stack gap={2}>
      <Text size="lg">
        <Trans>
          On images that it had never seen it found {found} of {boxes} things, and{" "}
          {formatPercent(precision, i18n.locale)} of its boxes were right.
        </Trans>
      </Text>
      {typeof ap50 === "number" && (
        <Text size="sm" className="quiet">
          {interval && interval.length === 2 ? (
            <Trans>
              AP50 {formatPercent(ap50, i18n.locale)}; on other images expect{" "}
              {formatPercent(interval[0] ?? 0, i18n.locale)} to {formatPercent(interval[1] ?? 1, i18n.locale)}
              .
            </Trans>
          ) : (
            <Trans>AP50 {formatPercent(ap50, i18n.locale)}</Trans>
          )}
        </Text>
      )}
    </Stack>
  );
}

function Expect({ interval }: { interval: number[] | undefined }) {
  if (interval?.length !== 2) return null;
  const [low = 0, high = 1] = interval.map((value) => Math.round(100 * value));
  return (
    <Text size="sm" className="quiet">
      <Trans>
        Of 100 new images expect {low} to {high} right.
      </Trans>
    </Text>
  );
}

function NotMeasured() {
  return (
    <Text className="quiet">
      <Trans>It has not been measured on images yet.</Trans>
    </Text>
  );
}
