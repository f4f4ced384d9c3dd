import { Trans, useLingui } from "@lingui/react/macro";
import { Table } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Snapshot } from "../../api/types";
import { useLabels } from "../../projects/queries";
import { LabelChip } from "../../ui/LabelChip";
import classes from "../Snapshot.module.css";
import { labelRows } from "../search";

/** Images by label and split; a name opens its images below. */
export function CountsTable({ project, snapshot }: { project: string; snapshot: Snapshot }) {
  const { i18n } = useLingui();
  const { data: labels = [] } = useLabels(project);
  const rows = labelRows(snapshot.class_names, snapshot.counts.labels);
  const { splits } = snapshot.counts;
  const number = (value: number | undefined) => (value ?? 0).toLocaleString(i18n.locale);
  return (
    <Table.ScrollContainer minWidth={290}>
      <Table verticalSpacing={4} horizontalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>
              <Trans>Label</Trans>
            </Table.Th>
            <Table.Th className={classes.numbers}>
              <Trans>Train</Trans>
            </Table.Th>
            <Table.Th className={classes.numbers}>
              <Trans>Validation</Trans>
            </Table.Th>
            <Table.Th className={classes.numbers}>
              <Trans>Test</Trans>
            </Table.Th>
            <Table.Th className={classes.numbers}>
              <Trans>All</Trans>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.label}>
              <Table.Td>
                <Link
                  to="/projects/$project/snapshots/$snapshot"
                  params={{ project, snapshot: snapshot.id }}
                  search={{ label: row.label }}
                  resetScroll={false}
                  className="plain"
                >
                  <LabelChip
                    label={
                      labels.find(({ name }) => name === row.label) ?? { name: row.label, color: "#888888" }
                    }
                  />
                </Link>
              </Table.Td>
              {[row.train, row.validation, row.test, row.total].map((value, place) => (
                <Table.Td key={["train", "validation", "test", "all"][place]} className={classes.numbers}>
                  {number(value)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
        <Table.Tfoot>
          <Table.Tr>
            <Table.Th>
              <Trans>Images</Trans>
            </Table.Th>
            {[splits.train, splits.validation, splits.test, snapshot.counts.images].map((value, place) => (
              <Table.Th key={["train", "validation", "test", "all"][place]} className={classes.numbers}>
                {number(value)}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Tfoot>
      </Table>
    </Table.ScrollContainer>
  );
}
