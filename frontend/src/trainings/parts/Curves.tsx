import { Trans, useLingui } from "@lingui/react/macro";
import { Paper, ScrollArea, Stack, Table, Text, Title } from "@mantine/core";
import { formatNumber, formatPercent } from "../../ui/numbers";
import { bestEpoch, type Epoch, figureLines, figureOf, lossLines, phaseStarts } from "../history";
import classes from "../Trainings.module.css";
import { useFigureNames, usePhaseNames } from "../words";
import { Curve } from "./Curve";
import { OneEpoch } from "./OneEpoch";

interface Props {
  history: Epoch[];
  /** Whether epochs may follow. */
  isOpen: boolean;
  /** Whether the last layer was computed at once. */
  isSolved: boolean;
}

/** The curves of a training as they grow, the epoch whose weights are kept, and the same as a table. */
export function Curves({ history, isOpen, isSolved }: Props) {
  const { t } = useLingui();
  const figures = useFigureNames();
  const figure = figureOf(history);
  const best = bestEpoch(history);
  const starts = phaseStarts(history).map(({ epoch }) => epoch);
  const epochs = history.at(-1)?.epoch ?? 0;
  if (epochs === 0) return null;
  const shared = { best, starts, epochs };
  return (
    <Paper className="panel" p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          <Trans>How it learns</Trans>
        </Title>
        {epochs === 1 ? (
          <OneEpoch history={history} isOpen={isOpen} isSolved={isSolved} />
        ) : (
          <>
            <div className={classes.curves}>
              {figure && (
                <Curve title={figures[figure] ?? figure} lines={figureLines(history)} isShare {...shared} />
              )}
              <Curve title={t`Loss`} lines={lossLines(history)} {...shared} />
            </div>
            <Text size="xs" className="quiet">
              <Trans>
                “Learning” is on the images that it learns from, “checking” on the validation split. The model
                keeps the weights of the best epoch; when the two lines part, it begins to learn by heart.
              </Trans>
            </Text>
          </>
        )}
        <details className={classes.fold}>
          <summary>
            <Trans>Numbers of every epoch</Trans>
          </summary>
          <Numbers history={history} best={best} />
        </details>
      </Stack>
    </Paper>
  );
}

function Numbers({ history, best }: { history: Epoch[]; best: number | null }) {
  const { t, i18n } = useLingui();
  const phases = usePhaseNames();
  const figures = useFigureNames();
  const figure = figureOf(history);
  const heads = [t`Loss`, t`Loss, checking`, ...(figure ? [figures[figure] ?? figure] : []), t`Seconds`];
  return (
    <ScrollArea.Autosize
      mah={340}
      type="auto"
      viewportProps={{ tabIndex: 0, "aria-label": t`Numbers of every epoch` }}
    >
      <Table verticalSpacing={2} horizontalSpacing={8} stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>
              <Trans>Epoch</Trans>
            </Table.Th>
            <Table.Th>
              <Trans>Phase</Trans>
            </Table.Th>
            {heads.map((head) => (
              <Table.Th key={head} className={classes.numbers}>
                {head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {history.map((entry) => {
            const value = figure ? entry[figure] : undefined;
            return (
              <Table.Tr key={entry.epoch} fw={entry.epoch === best ? 650 : undefined}>
                <Table.Td>
                  {entry.epoch}
                  {entry.epoch === best && <> · {t`best`}</>}
                </Table.Td>
                <Table.Td>{phases[entry.phase] ?? entry.phase}</Table.Td>
                <Table.Td className={classes.numbers}>{formatNumber(entry.loss, i18n.locale)}</Table.Td>
                <Table.Td className={classes.numbers}>{formatNumber(entry.val_loss, i18n.locale)}</Table.Td>
                {figure && (
                  <Table.Td className={classes.numbers}>
                    {typeof value === "number" ? formatPercent(value, i18n.locale, 1) : "–"}
                  </Table.Td>
                )}
                <Table.Td className={classes.numbers}>{formatNumber(entry.seconds, i18n.locale)}</Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  );
}
