import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Group, List, Loader, Paper, Stack, Table, Text, Title } from "@mantine/core";
import type { Label, Task } from "../../api/types";
import { useLabels } from "../../projects/queries";
import { formatBytes } from "../../ui/bytes";
import { Duration } from "../../ui/Duration";
import { LabelChip } from "../../ui/LabelChip";
import { formatPercent } from "../../ui/numbers";
import type { Preflight, Seen } from "../queries";
import classes from "../Trainings.module.css";

interface Props {
  project: string;
  outlook: Preflight | null;
  seen: Seen | null;
  /** The best of earlier trainings on the validation split. */
  bestBefore: number | null;
  task: Task;
}

/** What the training will do, before it is started: time, memory, and what it sees of each label. */
export function Outlook({ project, outlook, seen, bestBefore, task }: Props) {
  const { i18n } = useLingui();
  const { data: labels = [] } = useLabels(project);
  return (
    <Paper className="panel" p="lg" aria-busy={outlook === null}>
      <Stack gap="sm">
        <Title order={2} size="h4">
          <Trans>What will happen</Trans>
        </Title>
        {outlook === null ? (
          <Group gap="sm" role="status" wrap="nowrap">
            <Loader size="sm" />
            <Text size="sm" className="quiet">
              <Trans>A few steps are timed to estimate how long it takes. You need not wait for it.</Trans>
            </Text>
          </Group>
        ) : (
          <Text>
            <Trans>
              It takes <Duration seconds={outlook.seconds} /> and{" "}
              {formatBytes(outlook.memory_bytes, i18n.locale)} of memory.
            </Trans>{" "}
            {bestBefore === null ? (
              <Trans>It is the first model here, so there is nothing yet to compare it with.</Trans>
            ) : task === "detection" ? (
              <Trans>
                Your best model so far reaches an AP50 of {formatPercent(bestBefore, i18n.locale)}.
              </Trans>
            ) : task === "multilabel" ? (
              <Trans>
                Your best model so far reaches a mean average precision of{" "}
                {formatPercent(bestBefore, i18n.locale)}.
              </Trans>
            ) : (
              <Trans>
                Your best model so far names {formatPercent(bestBefore, i18n.locale)} of the images right.
              </Trans>
            )}
          </Text>
        )}
        {seen?.images && <Splits images={seen.images} />}
        {seen?.labels && <ByLabel rows={seen.labels} labels={labels} />}
        {outlook && outlook.warnings.length > 0 && (
          <List size="sm" spacing={4} c="var(--studio-warn)">
            {outlook.warnings.map((warning) => (
              <List.Item key={warning}>{warning}</List.Item>
            ))}
          </List>
        )}
      </Stack>
    </Paper>
  );
}

function Splits({ images }: { images: NonNullable<Preflight["images"]> }) {
  return (
    <Text size="sm">
      <Plural value={images.train} one="It learns from # image." other="It learns from # images." />{" "}
      <Plural
        value={images.validation}
        one="# more chooses the best epoch."
        other="# more choose the best epoch."
      />{" "}
      <Plural
        value={images.test}
        one="# is kept for the test at the end: the model never sees it before."
        other="# are kept for the test at the end: the model never sees them before."
      />
    </Text>
  );
}

function ByLabel({ rows, labels }: { rows: NonNullable<Preflight["labels"]>; labels: Label[] }) {
  const { t, i18n } = useLingui();
  const heads = [t`Learn`, t`Choose`, t`Test`];
  return (
    <Table.ScrollContainer minWidth={280} mah={320}>
      <Table verticalSpacing={3} horizontalSpacing={6} stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>
              <Trans>Images with the label</Trans>
            </Table.Th>
            {heads.map((head) => (
              <Table.Th key={head} className={classes.numbers}>
                {head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.name}>
              <Table.Td>
                <LabelChip
                  label={labels.find(({ name }) => name === row.name) ?? { name: row.name, color: "#888888" }}
                />
              </Table.Td>
              {(["train", "validation", "test"] as const).map((split) => (
                <Table.Td key={split} className={classes.numbers}>
                  {row[split].toLocaleString(i18n.locale)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
