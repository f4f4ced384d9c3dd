import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Anchor, Menu, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asStudioError } from "../../api/errors";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { Icon } from "../../ui/Icon";
import { formatNumber } from "../../ui/numbers";
import classes from "../Devices.module.css";
import { type Device, type DeviceGroup, moveDevice, revokeDevice } from "../queries";
import { ago, isLate } from "../seen";
import { useHealths } from "../words";

interface Props {
  project: string;
  devices: Device[];
  groups: DeviceGroup[];
  mayEdit: boolean;
}

export function DeviceTable({ project, devices, groups, mayEdit }: Props) {
  return (
    <div className={classes.scroll}>
      <table className={`${classes.table} ${classes.wide}`}>
        <thead>
          <tr>
            <th scope="col">
              <Trans>Device</Trans>
            </th>
            <th scope="col">
              <Trans>Last seen</Trans>
            </th>
            <th scope="col">
              <Trans>Runs</Trans>
            </th>
            <th scope="col" className={classes.number}>
              <Trans>Predictions</Trans>
            </th>
            <th scope="col" className={classes.number}>
              <Trans>Time each</Trans>
            </th>
            {mayEdit && (
              <th scope="col">
                <span className="visually-hidden">
                  <Trans>Actions</Trans>
                </span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <DeviceRow key={device.id} project={project} device={device} groups={groups} mayEdit={mayEdit} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps extends Omit<Props, "devices"> {
  device: Device;
}

function DeviceRow({ project, device, groups, mayEdit }: RowProps) {
  const { t, i18n } = useLingui();
  const healths = useHealths();
  const [isRevoking, setIsRevoking] = useState(false);
  const group = groups.find(({ id }) => id === device.group);
  const now = Date.now();
  const late = isLate(device.last_seen, group?.poll_seconds ?? 60, now);
  const move = (to: string | null) =>
    void moveDevice(project, device.id, to).catch((problem) =>
      notifications.show({ color: "red", message: asStudioError(problem).message }),
    );
  return (
    <tr>
      <td>
        <Anchor component={Link} to={`/projects/${project}/devices/${device.id}`} size="sm" fw={600}>
          {device.name}
        </Anchor>
        <Text size="xs" className="quiet">
          {group?.name ?? <Trans>in no group</Trans>}
        </Text>
      </td>
      <td>
        {device.last_seen ? (
          <Text size="sm" c={late ? "var(--studio-warn)" : undefined} title={device.last_seen}>
            {late && <Icon name="alert-triangle" size={13} />} {ago(device.last_seen, now, i18n.locale)}
          </Text>
        ) : (
          <Text size="sm" className="quiet">
            <Trans>never</Trans>
          </Text>
        )}
      </td>
      <td>
        <Text size="sm">{device.running_model || <span className="quiet">–</span>}</Text>
        {device.target && device.target !== device.running && device.target_model && (
          <Text size="xs" className="quiet">
            <Trans>is to run {device.target_model}</Trans>
          </Text>
        )}
        <Text size="xs" c={device.health === "failed" ? "var(--studio-bad)" : undefined} className="quiet">
          {healths[device.health]}
          {device.problem && `: ${device.problem}`}
        </Text>
      </td>
      <td className={classes.number}>
        {formatNumber(device.predictions, i18n.locale)}
        {device.errors > 0 && (
          <Text size="xs" c="var(--studio-bad)">
            <Trans>{formatNumber(device.errors, i18n.locale)} failed</Trans>
          </Text>
        )}
      </td>
      <td className={classes.number}>
        {device.latency_ms === null ? "–" : `${formatNumber(device.latency_ms, i18n.locale)} ms`}
      </td>
      {mayEdit && (
        <td>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={t`More about ${device.name}`}>
                <Icon name="dots" />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              {groups
                .filter(({ id }) => id !== device.group)
                .map(({ id, name }) => (
                  <Menu.Item key={id} onClick={() => move(id)}>
                    <Trans>Move to {name}</Trans>
                  </Menu.Item>
                ))}
              <Menu.Item color="red" leftSection={<Icon name="lock" />} onClick={() => setIsRevoking(true)}>
                <Trans>End its access</Trans>
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
          <ConfirmDelete
            opened={isRevoking}
            title={t`End the access of ${device.name}?`}
            action={t`End its access`}
            confirm={() => revokeDevice(project, device.id)}
            close={() => setIsRevoking(false)}
          >
            <Trans>
              Its key stops working at once: it gets no model any more and reports nothing. It goes on with
              the model that it has. To come back it has to enrol again.
            </Trans>
          </ConfirmDelete>
        </td>
      )}
    </tr>
  );
}
