import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Group, Paper, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asStudioError, type StudioError } from "../../api/errors";
import { useShortcut } from "../../keyboard/useShortcut";
import { Freezing } from "../../trainings/parts/Freezing";
import { Now } from "../../trainings/parts/Now";
import { Result } from "../../trainings/parts/Result";
import { isKnownOpen, isOpen, useTraining } from "../../trainings/queries";
import { Icon } from "../../ui/Icon";
import { Problem } from "../../ui/Problem";
import { keepLiveModel } from "../queries";

/** Makes a model of the project out of the live model: the button, how far it is, and the way to the model. */
export function Keep({ project }: { project: string }) {
  const { t } = useLingui();
  const [training, setTraining] = useState<string | null>(null);
  const [job, setJob] = useState<string | null>(null);
  const [error, setError] = useState<StudioError | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const keep = async () => {
    // A key that is held down, or a second press, would start the same again.
    if (isBusy || (training !== null && isKnownOpen(project, training))) return;
    setIsBusy(true);
    setError(null);
    setTraining(null);
    try {
      const started = await keepLiveModel(project);
      if ("history" in started) setTraining(started.id);
      else setJob(started.id);
    } catch (problem) {
      setError(asStudioError(problem));
    } finally {
      setIsBusy(false);
    }
  };
  useShortcut({
    id: "live.keep",
    scope: t`Live guesses`,
    title: t`Keep as a model`,
    keys: "Shift+K",
    run: () => void keep(),
  });
  return (
    <Stack gap="xs">
      <Group gap="sm">
        <Button
          variant="default"
          leftSection={<Icon name="sparkles" size={16} />}
          loading={isBusy}
          onClick={() => void keep()}
        >
          <Trans>Keep as a model</Trans>
        </Button>
        <Text size="sm" className="quiet" style={{ flex: 1, minWidth: 220 }}>
          <Trans>
            Measures it on images that it has not learned from, and makes a model that you can use, publish
            and send to devices.
          </Trans>
        </Text>
      </Group>
      {error && <Problem error={error} />}
      {job && !training && (
        <Freezing
          project={project}
          job={job}
          onTraining={(id) => {
            setJob(null);
            setTraining(id);
          }}
        />
      )}
      {training && <Kept project={project} training={training} />}
    </Stack>
  );
}

function Kept({ project, training }: { project: string; training: string }) {
  const { data: run } = useTraining(project, training);
  if (!run) return null;
  if (isOpen(run.state)) return <Now run={run} />;
  if (run.state === "succeeded") return <Result project={project} run={run} mayEdit />;
  return (
    <Paper className="panel" p="lg" role="status">
      <Text size="sm">{run.error?.detail ?? <Trans>It was cancelled.</Trans>}</Text>
      <Anchor component={Link} to={`/projects/${project}/trainings/${training}`} size="sm">
        <Trans>Open the training</Trans>
      </Anchor>
    </Paper>
  );
}
