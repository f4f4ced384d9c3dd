import { Trans, useLingui } from "@lingui/react/macro";
import { Table, Text, UnstyledButton } from "@mantine/core";
import type { Label } from "../../api/types";
import { LabelChip } from "../../ui/LabelChip";
import { formatPercent } from "../../ui/numbers";
import { FEW, type LabelRow, labelRows, sortRows } from "../figures";
import classes from "../Quality.module.css";
import type { Evaluation } from "../queries";
import type { Behind, QualitySearch, Sort } from "../search";

interface Props {
  evaluation: Evaluation;
  labels: Label[];
  search: QualitySearch;
  change: (next: Partial<QualitySearch>) => void;
  open: ((behind: Behind) => void) | undefined;
}

/** The figures by label, the worst first; each number opens its images. */
export function LabelTable({ evaluation, labels, search, change, open }: Props) {
  const { t, i18n } = useLingui();
  const isDetector = evaluation.metrics.task === "detection";
  const isOfParts = evaluation.metrics.task !== "classification";
  const sort = search.sort ?? "score";
  const rows = sortRows(labelRows(evaluation.metrics), sort, search.down ?? false, i18n.locale);
  const columns: [Sort, string, string][] = [
    ["label", t`Label`, ""],
    [
      "count",
      isDetector ? t`Boxes` : t`Images`,
      isDetector ? t`Annotated boxes that it was measured on` : t`Images that it was measured on`,
    ],
    [
      "precision",
      t`Precision`,
      isDetector
        ? t`Of its boxes, how many are right`
        : t`Of the images it gives this label, how many have it`,
    ],
    [
      "recall",
      t`Recall`,
      isDetector
        ? t`Of the annotated boxes, how many it finds`
        : t`Of the images with this label, how many it names`,
    ],
    [
      "score",
      isDetector ? "AP50" : "F1",
      isDetector
        ? t`Average precision at an overlap of one half`
        : t`One figure of precision and recall: their harmonic mean`,
    ],
  ];
  return (
    <Table.ScrollContainer minWidth={290}>
      <Table verticalSpacing={5} horizontalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            {columns.map(([column, name, meaning]) => (
              <Table.Th
                key={column}
                className={column === "label" ? undefined : classes.numbers}
                aria-sort={sort === column ? (search.down ? "descending" : "ascending") : undefined}
              >
                <UnstyledButton
                  fz="sm"
                  className={classes.sort}
                  title={meaning}
                  onClick={() =>
                    change({ sort: column, down: sort === column && !search.down ? true : undefined })
                  }
                >
                  {name}
                  <span aria-hidden>{sort === column ? (search.down ? " ↓" : " ↑") : ""}</span>
                </UnstyledButton>
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.label}>
              <Table.Td>
                <LabelChip
                  label={
                    labels.find(({ name }) => name === row.label) ?? { name: row.label, color: "#888888" }
                  }
                />
              </Table.Td>
              <Figures row={row} isOfParts={isOfParts} open={open} />
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Figures({
  row,
  isOfParts,
  open,
}: {
  row: LabelRow;
  /** An image may have some of its labels right and others not. */
  isOfParts: boolean;
  open: ((behind: Behind) => void) | undefined;
}) {
  const { t, i18n } = useLingui();
  const { label, count } = row;
  const share = (value: number | null) => (value === null ? "–" : formatPercent(value, i18n.locale, 1));
  const behind: [string, string, Behind][] = [
    [t`images with ${label}`, count.toLocaleString(i18n.locale), { outcome: "all", label }],
    [
      t`mistakes where it says ${label}`,
      share(row.precision),
      { outcome: isOfParts ? "false_positive" : "wrong", predicted: label },
    ],
    [
      isOfParts ? t`images with a missed ${label}` : t`images of ${label} that it gets wrong`,
      share(row.recall),
      { outcome: isOfParts ? "miss" : "wrong", label },
    ],
  ];
  return (
    <>
      {behind.map(([name, text, images], place) => (
        <Table.Td key={name} className={classes.numbers}>
          {open && count > 0 ? (
            <UnstyledButton
              fz="sm"
              className={classes.number}
              aria-label={t`${text}: ${name}`}
              title={name}
              onClick={() => open(images)}
            >
              {text}
            </UnstyledButton>
          ) : (
            text
          )}
          {place === 0 && count > 0 && count < FEW && (
            <Text span size="xs" c="var(--studio-warn)" ml={4} visibleFrom="xs">
              <Trans>few</Trans>
            </Text>
          )}
        </Table.Td>
      ))}
      <Table.Td className={classes.numbers}>{share(row.score)}</Table.Td>
    </>
  );
}
