import { Trans } from "@lingui/react/macro";
import { Button, Group, Paper, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { send } from "../../api/client";
import type { Job } from "../../api/types";
import { Problem } from "../../ui/Problem";

interface Props {
  dataset: string;
  job: Job;
  onStart: (job: string) => void;
}

/** Annotations that were not understood kept the names of folders from being labels: a person knows whether they are. */
export function FolderLabels({ dataset, job, onStart }: Props) {
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const look = async () => {
    setIsBusy(true);
    setError(null);
    try {
      const next = await send<Job>(
        "POST",
        `/api/v1/datasets/${dataset}/imports/`,
        JSON.stringify({ job: job.id, format: "folder", dry_run: true }),
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
        <Text>
          <Trans>
            The archive has annotations that were not understood, so the names of its folders were not taken
            as labels.
          </Trans>
        </Text>
        <Problem error={error} />
        <Group justify="flex-end">
          <Button variant="default" loading={isBusy} onClick={() => void look()}>
            <Trans>The folders are the labels</Trans>
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}
