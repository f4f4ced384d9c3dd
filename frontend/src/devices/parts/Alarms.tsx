import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Alert, Anchor, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Icon } from "../../ui/Icon";
import { useAlarmed } from "../queries";
import { ago } from "../seen";
import { useAlarms } from "../words";

/** Devices that have fallen silent or whose model does not work. Nothing where all are well. */
export function Alarms({ project }: { project: string }) {
  const { i18n } = useLingui();
  const words = useAlarms();
  const { data } = useAlarmed(project);
  const devices = data?.results ?? [];
  if (devices.length === 0) return null;
  return (
    <Alert
      color="red"
      variant="light"
      icon={<Icon name="alert-triangle" />}
      role="status"
      title={
        data?.next ? (
          <Trans>More than {devices.length} devices need a look</Trans>
        ) : (
          <Plural value={devices.length} one="# device needs a look" other="# devices need a look" />
        )
      }
    >
      <Stack gap={4} component="ul" m={0} pl={18}>
        {devices.map((device) => (
          <li key={device.id}>
            <Text size="sm" component="span">
              <Anchor component={Link} to={`/projects/${project}/devices/${device.id}`} underline="always">
                {device.name}
              </Anchor>
              {": "}
              {device.alarm === "silent" && device.last_seen ? (
                <Trans>last heard from {ago(device.last_seen, Date.now(), i18n.locale)}</Trans>
              ) : (
                device.alarm && words[device.alarm]
              )}
              {device.alarm === "failed" && device.problem && ` (${device.problem})`}
            </Text>
          </li>
        ))}
      </Stack>
    </Alert>
  );
}
