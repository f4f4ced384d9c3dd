import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Skeleton, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { ago } from "../devices/seen";
import { formatBytes } from "../ui/bytes";
import { Icon } from "../ui/Icon";
import { formatNumber } from "../ui/numbers";
import { Problem } from "../ui/Problem";
import { Meter } from "./parts/Meter";
import { Panel } from "./parts/Panel";
import { QueueTable } from "./parts/QueueTable";
import { type System, useSystem } from "./queries";

/** How the machine is, what waits, and who works on it. */
export default function MachinePage() {
  const { data, error, refetch } = useSystem();
  if (!data)
    return error ? (
      <Problem error={error} retry={() => void refetch()} />
    ) : (
      <Skeleton height={320} radius="md" />
    );
  return (
    <Stack>
      <Problem error={error} retry={() => void refetch()} />
      <BackupNote backup={data.backup} />
      <Panel title={<Trans>Machine</Trans>}>
        <Meters system={data} />
      </Panel>
      <Panel title={<Trans>What waits and runs</Trans>}>
        <QueueTable queues={data.queues} />
      </Panel>
      <Panel title={<Trans>Workers</Trans>}>
        <Workers system={data} />
      </Panel>
      <Panel title={<Trans>Versions</Trans>}>
        <Versions versions={data.versions} />
      </Panel>
    </Stack>
  );
}

function BackupNote({ backup }: { backup: System["backup"] }) {
  const { i18n } = useLingui();
  const isWrong = !backup.is_on || backup.is_late || backup.newest_at === null;
  return (
    <Text size="sm" c={isWrong ? "var(--studio-warn)" : "var(--studio-good)"}>
      <Icon name={isWrong ? "alert-triangle" : "check"} size={14} />{" "}
      {!backup.is_on ? (
        <Trans>The studio keeps no backups by itself.</Trans>
      ) : backup.newest_at === null ? (
        <Trans>There is no backup yet.</Trans>
      ) : (
        <Trans>The newest backup was taken {ago(backup.newest_at, Date.now(), i18n.locale)}.</Trans>
      )}{" "}
      {backup.is_late && <Trans>It is late, or the last one failed.</Trans>}{" "}
      <Anchor component={Link} to="/system/backups" size="sm" underline="always">
        <Trans>Backups</Trans>
      </Anchor>
    </Text>
  );
}

function Meters({ system: { disk, memory, gpus } }: { system: System }) {
  const { t, i18n } = useLingui();
  const bytes = (count: number) => formatBytes(count, i18n.locale);
  const used = memory.total_bytes - memory.available_bytes;
  return (
    <Stack>
      <Meter
        title={t`Disk of the data`}
        share={1 - disk.free_bytes / disk.total_bytes}
        isBad={disk.free_bytes < 4 * disk.least_free_bytes}
        words={
          <Trans>
            {bytes(disk.free_bytes)} of {bytes(disk.total_bytes)} free
          </Trans>
        }
      />
      <Meter
        title={t`Memory`}
        share={used / memory.total_bytes}
        isBad={memory.available_bytes < memory.total_bytes / 20}
        words={
          <Trans>
            {bytes(memory.available_bytes)} of {bytes(memory.total_bytes)} free
          </Trans>
        }
      />
      <Meter
        title={t`Processor`}
        share={memory.load / memory.cores}
        words={
          <Trans>
            load {formatNumber(memory.load, i18n.locale)} on {memory.cores} cores
          </Trans>
        }
      />
      {gpus.length === 0 && (
        <Text size="sm" className="quiet">
          <Trans>No graphics card was found: trainings run on the processor.</Trans>
        </Text>
      )}
      {gpus.map((gpu, at) => (
        <Meter
          key={at}
          title={gpu.name}
          share={gpu.total_bytes && gpu.used_bytes !== null ? gpu.used_bytes / gpu.total_bytes : 0}
          words={
            gpu.total_bytes === null || gpu.used_bytes === null ? (
              <Trans>no figures</Trans>
            ) : (
              <Trans>
                {bytes(gpu.used_bytes)} of {bytes(gpu.total_bytes)} used, {gpu.utilization_percent ?? 0} %
                busy
              </Trans>
            )
          }
        />
      ))}
    </Stack>
  );
}

function Workers({ system: { broker, workers } }: { system: System }) {
  return (
    <>
      {broker !== "ok" && (
        <Text size="sm" c="var(--studio-bad)">
          <Icon name="alert-triangle" size={14} />{" "}
          <Trans>The broker does not answer: what is asked for waits. ({broker})</Trans>
        </Text>
      )}
      {broker === "ok" && workers.length === 0 && (
        <Text size="sm" c="var(--studio-warn)">
          <Icon name="alert-triangle" size={14} /> <Trans>No worker has answered within a second.</Trans>
        </Text>
      )}
      {workers.map(({ name, queues }) => (
        <Text key={name} size="sm">
          <Text span fw={600} size="sm">
            {name}
          </Text>{" "}
          <span className="quiet">{queues.join(", ")}</span>
        </Text>
      ))}
    </>
  );
}

function Versions({ versions }: { versions: System["versions"] }) {
  const rows = [
    ["ML Studio", versions.studio],
    ["Python", versions.python],
    ["", versions.database],
    ["", versions.system],
    ...versions.packages.map(({ name, version }) => [name, version ?? "–"]),
  ];
  return (
    <Text size="sm">
      {rows.map(([name, version], at) => (
        <span key={`${name}${version}`}>
          {at > 0 && " · "}
          {name && `${name} `}
          <span className="quiet">{version}</span>
        </span>
      ))}
    </Text>
  );
}
