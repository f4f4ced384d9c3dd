import { Trans, useLingui } from "@lingui/react/macro";
import { Paper, Progress, Stack, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { useJob } from "../../datasets/queries";
import { Problem } from "../../ui/Problem";

/** A large dataset becomes a snapshot first; what was asked for starts then, and is shown. */
export function Freezing({
  project,
  job: id,
  onTraining,
}: {
  project: string;
  job: string;
  onTraining: (training: string) => void;
}) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const { data: job } = useJob(project, id);
  const result = job?.result;
  const training = result?.kind === "snapshot_and_training" ? result.training : undefined;
  const search = result?.kind === "snapshot_and_search" ? result.search : undefined;
  useEffect(() => {
    if (training) onTraining(training);
    if (search) void navigate({ to: "/projects/$project/searches/$search", params: { project, search } });
  });
  if (job?.state === "failed") return <Problem error={new Error(job.error?.detail)} />;
  const { done = 0, total = 0 } = job?.progress ?? {};
  return (
    <Paper className="panel" p="lg" role="status">
      <Stack gap="xs">
        <Text>
          <Trans>The images are being put into a snapshot. The training starts by itself then.</Trans>
        </Text>
        <Progress value={total ? (100 * done) / total : 0} animated aria-label={t`${done} of ${total}`} />
      </Stack>
    </Paper>
  );
}
