import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Select, Stack, Table, Text, Title } from "@mantine/core";
import { useState } from "react";
import { send } from "../../api/client";
import type { Job } from "../../api/types";
import { useLabels } from "../../projects/queries";
import { formatNumber } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import type { FoundLabel } from "../result";

interface Props {
  project: string;
  dataset: string;
  job: Job;
  labels: FoundLabel[];
  onStart: (job: string) => void;
}

const LEAVE_OUT = "\u0000leave-out";
const NEW = "\u0000new";

/** Which label of the archive becomes which of the project, before anything is written. */
export function LabelMapping({ project, dataset, job, labels, onStart }: Props) {
  const { t, i18n } = useLingui();
  const { data: own = [] } = useLabels(project);
  const [map, setMap] = useState<Record<string, string>>({});
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const choiceOf = ({ name, label, similar }: FoundLabel) => map[name] ?? label ?? similar[0] ?? NEW;
  const start = async () => {
    setIsBusy(true);
    setError(null);
    try {
      const label_map: Record<string, string | null> = {};
      for (const found of labels) {
        const choice = choiceOf(found);
        if (choice === LEAVE_OUT) label_map[found.name] = null;
        else if (choice !== NEW && choice !== found.name) label_map[found.name] = choice;
      }
      const next = await send<Job>(
        "POST",
        `/api/v1/datasets/${dataset}/imports/`,
        JSON.stringify({ job: job.id, label_map }),
        { "Content-Type": "application/json" },
      );
      onStart(next.id);
    } catch (problem) {
      setError(problem);
      setIsBusy(false);
    }
  };
  return (
    <Paper className="panel" p="lg">
      <Stack>
        {labels.length > 0 && (
          <>
            <Title order={2} size="h4">
              <Trans>Labels</Trans>
            </Title>
            <Table.ScrollContainer minWidth={420}>
              <Table>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>{t`In the archive`}</Table.Th>
                    <Table.Th>{t`Images`}</Table.Th>
                    <Table.Th>{t`Becomes`}</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {labels.map((found) => (
                    <Table.Tr key={found.name}>
                      <Table.Td>{found.name}</Table.Td>
                      <Table.Td>{formatNumber(found.images, i18n.locale)}</Table.Td>
                      <Table.Td>
                        <Select
                          size="xs"
                          aria-label={t`What ${found.name} becomes`}
                          allowDeselect={false}
                          searchable
                          value={choiceOf(found)}
                          onChange={(value) => value && setMap({ ...map, [found.name]: value })}
                          data={[
                            ...own.map(({ name }) => ({ value: name, label: name })),
                            ...(own.some(({ name }) => name === found.name)
                              ? []
                              : [{ value: NEW, label: t`New label “${found.name}”` }]),
                            { value: LEAVE_OUT, label: t`Leave out` },
                          ]}
                        />
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
          </>
        )}
        <Problem error={error} />
        <Group justify="space-between">
          <Text size="sm" className="quiet">
            <Trans>Nothing was written yet.</Trans>
          </Text>
          <Button loading={isBusy} onClick={() => void start()}>
            <Trans>Import</Trans>
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}
