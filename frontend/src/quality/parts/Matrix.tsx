import { Trans, useLingui } from "@lingui/react/macro";
import { Group, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useRef, useState } from "react";
import { Icon } from "../../ui/Icon";
import { formatPercent } from "../../ui/numbers";
import { cellOf, confusions, heat, MOST_LABELS, matching, nextCell } from "../matrix";
import classes from "../Quality.module.css";
import type { Behind, QualitySearch } from "../search";
import { Confusions } from "./Confusions";

interface Props {
  classNames: string[];
  matrix: number[][];
  search: QualitySearch;
  change: (next: Partial<QualitySearch>) => void;
  open: ((behind: Behind) => void) | undefined;
}

/** What is taken for what, as a table with heat; of very many labels only the worst confusions. */
export function Matrix({ classNames, matrix, search, change, open }: Props) {
  const { t } = useLingui();
  const [words, setWords] = useState("");
  // A detector has one more row and column: of nothing.
  const shown = matrix.length > classNames.length ? [...classNames, t`nothing`] : classNames;
  const found = matching(shown, words);
  const isLarge = classNames.length > MOST_LABELS && found.length > MOST_LABELS;
  const worst = confusions(matrix).filter(({ row, column }) => found.includes(row) || found.includes(column));
  return (
    <Stack>
      <Group justify="space-between">
        {shown.length > 8 && (
          <TextInput
            aria-label={t`Find a label`}
            placeholder={t`Find a label`}
            leftSection={<Icon name="search" size={16} />}
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
          />
        )}
        {!isLarge && (
          <SegmentedControl
            aria-label={t`Numbers`}
            data={[
              { value: "counts", label: t`Counts` },
              { value: "shares", label: t`Shares of the row` },
            ]}
            value={search.shares ? "shares" : "counts"}
            onChange={(value) => change({ shares: value === "shares" ? true : undefined })}
          />
        )}
      </Group>
      {isLarge ? (
        <Text size="sm" className="quiet">
          <Trans>
            With so many labels only what is confused most is listed. Find a label to see its row.
          </Trans>
        </Text>
      ) : (
        found.length > 0 && (
          <MatrixTable
            names={shown}
            classNames={classNames}
            matrix={matrix}
            // What was found stands against everything it is confused with.
            rows={words ? withConfused(found, matrix) : found}
            hasShares={search.shares ?? false}
            search={search}
            open={open}
          />
        )
      )}
      <Confusions names={shown} classNames={classNames} confusions={worst} open={open} />
    </Stack>
  );
}

function withConfused(found: number[], matrix: number[][]): number[] {
  const all = new Set(found);
  for (const { row, column } of confusions(matrix))
    if (found.includes(row) || found.includes(column)) all.add(row).add(column);
  return [...all].sort((one, other) => one - other);
}

interface TableProps {
  names: string[];
  classNames: string[];
  matrix: number[][];
  rows: number[];
  hasShares: boolean;
  search: QualitySearch;
  open: ((behind: Behind) => void) | undefined;
}

function MatrixTable({ names, classNames, matrix, rows, hasShares, search, open }: TableProps) {
  const { t, i18n } = useLingui();
  const table = useRef<HTMLTableElement>(null);
  const [at, setAt] = useState<[number, number] | null>(null);
  const first = rows.find((row) => rows.some((column) => matrix[row]?.[column]));
  const firstColumn = rows.find((column) => matrix[first ?? -1]?.[column]);
  const [row, column] = at ?? [first, firstColumn];
  const move = (event: React.KeyboardEvent) => {
    if (row === undefined || column === undefined) return;
    const next = nextCell(matrix, rows, rows, [row, column], event.key);
    if (!next) return;
    event.preventDefault();
    setAt(next);
    table.current?.querySelector<HTMLElement>(`[data-cell="${next.join("-")}"]`)?.focus();
  };
  return (
    <div className={classes.scroll}>
      <table ref={table} className={classes.matrix} onKeyDown={move}>
        <caption className="visually-hidden">
          {t`Rows are what is annotated, columns what the model said. Arrow keys go from cell to cell.`}
        </caption>
        <thead>
          <tr>
            <th scope="col">
              {t`annotated ↓`}
              <br />
              {t`said →`}
            </th>
            {rows.map((place) => (
              <th key={place} scope="col" title={names[place]}>
                <span>{names[place]}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((line) => (
            <tr key={line}>
              <th scope="row" title={names[line]}>
                {names[line]}
              </th>
              {rows.map((place) => {
                const count = matrix[line]?.[place] ?? 0;
                if (!count) return <td key={place} className={classes.cell} />;
                const share = heat(matrix[line] ?? [], place);
                const behind = cellOf(classNames, line, place);
                const isOpen =
                  search.outcome === "cell" &&
                  search.label === behind.label &&
                  search.predicted === behind.predicted;
                return (
                  <td
                    key={place}
                    className={`${classes.cell} ${line === place ? classes.right : classes.wrong}`}
                  >
                    <button
                      type="button"
                      data-cell={`${line}-${place}`}
                      tabIndex={line === row && place === column ? 0 : -1}
                      aria-current={isOpen}
                      disabled={!open}
                      style={{ "--heat": share } as React.CSSProperties}
                      aria-label={t`${count}, ${formatPercent(share, i18n.locale)}: annotated ${names[line] ?? ""}, said ${names[place] ?? ""}`}
                      onFocus={() => setAt([line, place])}
                      onClick={() => open?.(behind)}
                    >
                      {hasShares ? formatPercent(share, i18n.locale) : count.toLocaleString(i18n.locale)}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
