import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Group, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { formatPercent, formatTime } from "../../ui/numbers";
import {
  type ClassifierMetrics,
  type DetectorMetrics,
  exactOf,
  FEW_IN_ALL,
  foundOf,
  type MultilabelMetrics,
  rightOf,
  type Share,
} from "../figures";
import type { Evaluation } from "../queries";

/** How good the model is in one sentence, how sure one can be of that, and what it was measured on. */
export function Headline({ project, evaluation }: { project: string; evaluation: Evaluation }) {
  const { metrics, split } = evaluation;
  const isNew = split === "test";
  return (
    <Stack gap={6}>
      {metrics.task === "detection" ? (
        <DetectorSentence metrics={metrics} isNew={isNew} />
      ) : metrics.task === "multilabel" ? (
        <MultilabelSentence metrics={metrics} isNew={isNew} />
      ) : (
        <ClassifierSentence metrics={metrics} isNew={isNew} />
      )}
      <Cautions evaluation={evaluation} />
      <MeasuredOn project={project} evaluation={evaluation} />
    </Stack>
  );
}

function ClassifierSentence({ metrics, isNew }: { metrics: ClassifierMetrics; isNew: boolean }) {
  const right = rightOf(metrics);
  if (!right) return <NotMeasured />;
  return (
    <Sentence>
      {isNew ? (
        <Trans>
          Right on {right.part} of {right.all} images it had never seen. Of 100 new ones, expect {right.low}{" "}
          to {right.high} right.
        </Trans>
      ) : (
        <Trans>
          Right on {right.part} of {right.all} images.
        </Trans>
      )}
    </Sentence>
  );
}

function MultilabelSentence({ metrics, isNew }: { metrics: MultilabelMetrics; isNew: boolean }) {
  const { i18n } = useLingui();
  const exact = exactOf(metrics);
  const { micro_recall: recall = 0, micro_precision: precision = 0 } = metrics;
  const [found, right] = [formatPercent(recall, i18n.locale), formatPercent(precision, i18n.locale)];
  if (!exact) return <NotMeasured />;
  return (
    <Sentence>
      <Trans>
        It gave {found} of the labels that are there; {right} of those that it gave were right.
      </Trans>{" "}
      {isNew ? (
        <Trans>
          {exact.part} of {exact.all} images it had never seen got exactly their labels. Of 100 new ones,
          expect {exact.low} to {exact.high}.
        </Trans>
      ) : (
        <Trans>
          {exact.part} of {exact.all} images got exactly their labels.
        </Trans>
      )}
    </Sentence>
  );
}

function DetectorSentence({ metrics, isNew }: { metrics: DetectorMetrics; isNew: boolean }) {
  const figures = foundOf(metrics);
  if (!figures) return <NotMeasured />;
  const { found, alarms } = figures;
  return (
    <Sentence>
      {isNew ? (
        <Likely found={found} />
      ) : (
        <Trans>
          It found {found.part} of {found.all} annotated boxes.
        </Trans>
      )}{" "}
      <Plural
        value={alarms}
        _0="It raised no false alarm."
        one="It raised # false alarm."
        other="It raised # false alarms."
      />
    </Sentence>
  );
}

function Likely({ found }: { found: Share }) {
  return (
    <Trans>
      It found {found.part} of {found.all} annotated boxes on images it had never seen. Of 100 new ones,
      expect {found.low} to {found.high}.
    </Trans>
  );
}

function Sentence({ children }: { children: React.ReactNode }) {
  return (
    <Text fz={{ base: 19, sm: 22 }} fw={650} lh={1.3} data-testid="headline">
      {children}
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

/** What the sentence above does not say, and should be known before somebody relies on it. */
function Cautions({ evaluation: { metrics, split } }: { evaluation: Evaluation }) {
  const { i18n } = useLingui();
  const count = metrics.count ?? 0;
  const missing = metrics.labels_not_measured ?? [];
  const few = missing.slice(0, 5).join(", ");
  const list = new Intl.ListFormat(i18n.locale).format(missing);
  return (
    <Stack gap={2} c="var(--studio-warn)">
      {split === "train" && (
        <Text size="sm">
          <Trans>It learned from these images. On new ones it will be worse.</Trans>
        </Text>
      )}
      {split === "validation" && (
        <Text size="sm">
          <Trans>These images chose its best epoch. On new ones it may be worse.</Trans>
        </Text>
      )}
      {count > 0 && count < FEW_IN_ALL && (
        <Text size="sm">
          <Plural
            value={count}
            one="It was measured on # image alone, so all figures are rough. More test images make them sharper."
            other="It was measured on # images alone, so all figures are rough. More test images make them sharper."
          />
        </Text>
      )}
      {missing.length > 0 && (
        <Text size="sm" title={list}>
          {missing.length > 5 ? (
            <Trans>
              No image shows {few} and {missing.length - 5} other labels: nothing is known about these.
            </Trans>
          ) : (
            <Trans>No image shows {list}: nothing is known about this.</Trans>
          )}
        </Text>
      )}
    </Stack>
  );
}

function MeasuredOn({ project, evaluation }: { project: string; evaluation: Evaluation }) {
  const { t, i18n } = useLingui();
  const { metrics, snapshot, snapshot_name: name, split, file_kind: kind, created_at: time } = evaluation;
  const splits = { train: t`train split`, validation: t`validation split`, test: t`test split` };
  const left = (metrics.unknown_label ?? 0) + (metrics.unreadable ?? 0);
  return (
    <Group gap="xs" className="quiet">
      <Text size="sm">
        <Plural value={metrics.count ?? 0} one="# image" other="# images" />
        {" · "}
        {snapshot ? (
          <Anchor
            underline="always"
            component={Link}
            size="sm"
            to={`/projects/${project}/snapshots/${snapshot}?split=${split}`}
          >
            {name ?? t`snapshot`}
          </Anchor>
        ) : (
          <Trans>its snapshot was deleted since</Trans>
        )}
        {`, ${splits[split]} · ${kind} · ${formatTime(time, i18n.locale)}`}
      </Text>
      {left > 0 && (
        <Text size="sm">
          <Plural
            value={left}
            one="# image was left out: its label is unknown to the model, or it cannot be read."
            other="# images were left out: their labels are unknown to the model, or they cannot be read."
          />
        </Text>
      )}
    </Group>
  );
}
