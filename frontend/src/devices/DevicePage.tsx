import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useMayEdit } from "../projects/queries";
import { Icon } from "../ui/Icon";
import { formatNumber, formatTime } from "../ui/numbers";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import classes from "./Devices.module.css";
import { DeviceKey } from "./parts/DeviceKey";
import { type Device, useDevice, useGroups, useHistory } from "./queries";
import { ago, isLate, sourceOf } from "./seen";
import { useAlarms, useDeploymentStates, useHealths } from "./words";

/** One device: what it runs and reports, what it was told, and its key. */
export default function DevicePage() {
  const { project, device: id } = useParams({ from: "/shell/projects/$project/devices/$device" });
  const { data: device, error, refetch } = useDevice(project, id);
  const mayEdit = useMayEdit(project);
  return (
    <Page width="md">
      <Stack gap="lg">
        <Problem error={error} retry={() => void refetch()} />
        {!device && !error && <Skeleton height={320} radius="md" />}
        {device && (
          <>
            <div>
              <Anchor component={Link} to={`/projects/${project}/devices`} size="sm">
                <Trans>All devices</Trans>
              </Anchor>
              <Title order={1} size="h2" mt={4} style={{ overflowWrap: "anywhere" }}>
                {device.name}
              </Title>
              <Anchor
                size="sm"
                renderRoot={(props) => (
                  <Link
                    to="/projects/$project/images"
                    params={{ project }}
                    search={{ source: sourceOf(device) }}
                    {...props}
                  />
                )}
              >
                <Trans>Images that it sent back</Trans>
              </Anchor>
            </div>
            <Report project={project} device={device} />
            <History project={project} device={device} />
            {mayEdit && <DeviceKey project={project} device={device} />}
          </>
        )}
      </Stack>
    </Page>
  );
}

interface Props {
  project: string;
  device: Device;
}

function Report({ project, device }: Props) {
  const { t, i18n } = useLingui();
  const healths = useHealths();
  const alarms = useAlarms();
  const { data: groups } = useGroups(project);
  const group = groups?.find(({ id }) => id === device.group);
  const now = Date.now();
  const late = isLate(device.last_seen, group?.poll_seconds ?? 60, now);
  const number = (value: number) => formatNumber(value, i18n.locale);
  const rollOut = (id: string | null, name: string) =>
    id ? (
      <Anchor component={Link} to={`/projects/${project}/deployments/${id}`} size="sm">
        {name}
      </Anchor>
    ) : (
      t`nothing`
    );
  const rows: [string, ReactNode][] = [
    [t`Group`, group?.name ?? (device.group ? "…" : t`in no group`)],
    [
      t`Last seen`,
      device.last_seen ? (
        <Text span inherit c={late ? "var(--studio-warn)" : undefined}>
          {late && <Icon name="alert-triangle" size={13} />} {ago(device.last_seen, now, i18n.locale)} (
          {formatTime(device.last_seen, i18n.locale)})
        </Text>
      ) : (
        t`never`
      ),
    ],
    [t`Runs`, rollOut(device.running, device.running_model)],
    [t`Is to run`, rollOut(device.target, device.target_model)],
    ...(device.alarm
      ? [
          [
            t`Alarm`,
            <Text key="alarm" span inherit c="var(--studio-bad)">
              {alarms[device.alarm]}
              {device.alarm_since && `, ${formatTime(device.alarm_since, i18n.locale)}`}
            </Text>,
          ] as [string, ReactNode],
        ]
      : []),
    [
      t`How it is`,
      <Text key="health" span inherit c={device.health === "failed" ? "var(--studio-bad)" : undefined}>
        {healths[device.health]}
        {device.problem && `: ${device.problem}`}
      </Text>,
    ],
    [t`Predictions`, number(device.predictions)],
    [t`Failed`, number(device.errors)],
    [t`Time each`, device.latency_ms === null ? "–" : `${number(device.latency_ms)} ms`],
    [t`Agent`, device.agent_version || "–"],
    ...Object.entries(device.platform),
    [t`Enrolled`, formatTime(device.created_at, i18n.locale)],
    ...(device.revoked_at
      ? [[t`Access ended`, formatTime(device.revoked_at, i18n.locale)] as [string, ReactNode]]
      : []),
  ];
  return (
    <Paper className="panel" p="lg">
      <Title order={2} size="h4" mb="xs">
        <Trans>What it runs and reports</Trans>
      </Title>
      <table className={classes.table}>
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td style={{ overflowWrap: "anywhere" }}>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Paper>
  );
}

function History({ project, device }: Props) {
  const { i18n } = useLingui();
  const states = useDeploymentStates();
  const { data, error, refetch } = useHistory(project, device.group ?? null);
  return (
    <Paper className="panel" p="lg">
      <Title order={2} size="h4" mb="xs">
        <Trans>Roll-outs to its group</Trans>
      </Title>
      <Problem error={error} retry={() => void refetch()} />
      {(!device.group || data?.results.length === 0) && (
        <Text size="sm" className="quiet">
          <Trans>None: its group has no roll-out.</Trans>
        </Text>
      )}
      {data && data.results.length > 0 && (
        <Stack gap={6} component="ol" m={0} pl={18}>
          {data.results.map((one) => (
            <li key={one.id}>
              <Anchor component={Link} to={`/projects/${project}/deployments/${one.id}`} size="sm">
                {one.model_name}
              </Anchor>
              <Text size="sm" span className="quiet">
                {" · "}
                {states[one.state]} · {formatTime(one.created_at, i18n.locale)}
                {one.created_by && ` · ${one.created_by}`}
              </Text>
            </li>
          ))}
        </Stack>
      )}
    </Paper>
  );
}
