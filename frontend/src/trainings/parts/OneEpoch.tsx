import { Trans, useLingui } from "@lingui/react/macro";
import { Table, Text } from "@mantine/core";
import { formatNumber, formatPercent } from "../../ui/numbers";
import { type Epoch, figureLines, figureOf, type Line, lossLines } from "../history";
import classes from "../Trainings.module.css";
import { useFigureNames } from "../words";

interface Props {
  history: Epoch[];
  isOpen: boolean;
  isSolved: boolean;
}

/** The figures of the only epoch: a curve of one point shows nothing. */
export function OneEpoch({ history, isOpen, isSolved }: Props) {
  const { t, i18n } = useLingui();
  const figures = useFigureNames();
  const figure = figureOf(history);
  const textOf = (lines: Line[], kind: Line["kind"], isShare: boolean) => {
    const value = lines.find((line) => line.kind === kind)?.points[0]?.value;
    if (value === undefined) return "–";
    return isShare ? formatPercent(value, i18n.locale, 1) : formatNumber(value, i18n.locale);
  };
  const rows: [string, Line[], boolean][] = [
    ...(figure ? [[figures[figure] ?? figure, figureLines(history), true] as [string, Line[], boolean]] : []),
    [t`Loss`, lossLines(history), false],
  ];
  return (
    <>
      <Text size="sm">
        {isOpen ? (
          <Trans>The first epoch is done. Curves appear when a second one follows.</Trans>
        ) : isSolved ? (
          <Trans>
            The last layer was computed in one step on the features of the pretrained network. There are no
            further epochs, so there is no curve.
          </Trans>
        ) : (
          <Trans>This training had one epoch, so there is no curve.</Trans>
        )}
      </Text>
      <Table maw={420} verticalSpacing={4} data-testid="one-epoch">
        <Table.Thead>
          <Table.Tr>
            <Table.Th />
            <Table.Th className={classes.numbers}>
              <Trans>Training images</Trans>
            </Table.Th>
            <Table.Th className={classes.numbers}>
              <Trans>Validation images</Trans>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(([title, lines, isShare]) => (
            <Table.Tr key={title}>
              <Table.Th scope="row">{title}</Table.Th>
              <Table.Td className={classes.numbers}>{textOf(lines, "train", isShare)}</Table.Td>
              <Table.Td className={classes.numbers}>{textOf(lines, "validation", isShare)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  );
}
