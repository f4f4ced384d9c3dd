import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Group, Paper, Progress, Stack, Text } from "@mantine/core";
import { formatBytes } from "../../ui/bytes";
import { Duration } from "../../ui/Duration";
import type { Training } from "../queries";
import { waitsFor } from "../waiting";
import { usePhaseNames } from "../words";

/** What an open training does now: its place in the queue, or its phase, how far it is, and what it takes. */
export function Now({ run }: { run: Training }) {
  return (
    <Paper className="panel" p="lg" role="status">
      {run.state === "queued" ? <Waits run={run} /> : <Works run={run} />}
    </Paper>
  );
}

function Waits({ run }: { run: Training }) {
  const { waiting } = run;
  return (
    <Stack gap={4}>
      <Text fw={600}>
        <Heading waiting={waiting} />
      </Text>
      {waiting && (
        <Text size="sm" className="quiet">
          {waiting.detail}
        </Text>
      )}
    </Stack>
  );
}

/** In a few words; what it waits for is said below them. */
function Heading({ waiting }: Pick<Training, "waiting">) {
  const what = waitsFor(waiting);
  if (what === "starting") return <Trans>It starts in a moment.</Trans>;
  if (what === "other") return <Trans>It waits.</Trans>;
  return (
    <Plural
      value={waiting?.ahead ?? 0}
      one="It waits: # training comes first."
      other="It waits: # trainings come first."
    />
  );
}

function Works({ run }: { run: Training }) {
  const { t, i18n } = useLingui();
  const phases = usePhaseNames();
  const { phase, done = 0, total = 0, eta_seconds: left, memory_bytes: memory } = run.progress;
  const { gpu, gpu_memory_bytes: gpuMemory } = run.progress;
  const share = total ? Math.min(100, (100 * done) / total) : 0;
  const title = phase ? (phases[phase] ?? phase) : t`Preparing`;
  return (
    <Stack gap={8}>
      <Group justify="space-between" gap="xs">
        <Text fw={600}>{title}</Text>
        {typeof left === "number" && (
          <Text size="sm">
            <Trans>
              still <Duration seconds={left} />
            </Trans>
          </Text>
        )}
      </Group>
      <Progress value={share} animated size="lg" aria-label={title} />
      <Group gap="lg" className="quiet" fz="sm">
        {run.history.length > 0 && (
          <Plural value={run.history.length} one="# epoch done" other="# epochs done" />
        )}
        {memory !== undefined && <span>{t`${formatBytes(memory, i18n.locale)} of memory`}</span>}
        {phase !== undefined && gpu !== undefined && (
          <span>
            {gpu === null ? (
              <Trans>on the processor</Trans>
            ) : (
              <Trans>
                on {gpu}
                {gpuMemory ? `, ${formatBytes(gpuMemory, i18n.locale)}` : ""}
              </Trans>
            )}
          </span>
        )}
      </Group>
    </Stack>
  );
}
