import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Paper, ScrollArea, Stack, Table, Text, Title } from "@mantine/core";
import { LabelChip } from "../../ui/LabelChip";
import { clockOf } from "../frames";
import type { Track } from "../queries";

interface Props {
  tracks: Track[];
  counts: Record<string, number>;
  colorOf: (label: string) => string;
  seek: (time: number) => void;
}

const MOST_ROWS = 300;

/** Each thing that was followed: from when to when it is seen, and a jump there. */
export function Tracks({ tracks, counts, colorOf, seek }: Props) {
  const { t } = useLingui();
  return (
    <Paper className="panel" p="md" component="section" aria-label={t`Tracks`}>
      <Stack gap="xs">
        <Title order={2} size="h4">
          <Trans>What was followed</Trans>
        </Title>
        <Text size="sm">
          {Object.entries(counts)
            .map(([label, count]) => `${label}: ${count}`)
            .join(" · ")}
        </Text>
        <ScrollArea.Autosize mah={320} viewportProps={{ tabIndex: 0 }}>
          <Table verticalSpacing={4}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>
                  <Trans>Number</Trans>
                </Table.Th>
                <Table.Th>
                  <Trans>Label</Trans>
                </Table.Th>
                <Table.Th>
                  <Trans>Seen</Trans>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {tracks.slice(0, MOST_ROWS).map(({ track, label, start, end }) => (
                <Table.Tr key={track}>
                  <Table.Td>{track}</Table.Td>
                  <Table.Td>
                    <LabelChip label={{ name: label, color: colorOf(label) }} />
                  </Table.Td>
                  <Table.Td>
                    <Button
                      size="compact-xs"
                      variant="default"
                      aria-label={t`Jump to number ${track}`}
                      onClick={() => seek(start)}
                    >
                      {clockOf(start)} – {clockOf(end)}
                    </Button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </ScrollArea.Autosize>
      </Stack>
    </Paper>
  );
}
