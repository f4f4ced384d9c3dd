import { Trans } from "@lingui/react/macro";
import { Anchor, Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import { Icon } from "../../ui/Icon";

const state = () => (typeof Notification === "undefined" ? "absent" : Notification.permission);

/** The browser is asked only when somebody presses this. */
export function NotifyMe() {
  const [permission, setPermission] = useState<NotificationPermission | "absent">(state);
  return (
    <Group gap="sm" fz="sm" className="quiet">
      {permission === "default" && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<Icon name="bell" size={15} />}
          onClick={() => void Notification.requestPermission().then(setPermission)}
        >
          <Trans>Tell me when it is done</Trans>
        </Button>
      )}
      {permission === "granted" && (
        <Group gap={6}>
          <Icon name="bell" size={15} />
          <Trans>Your browser tells you when it is done, as long as a tab of the studio is open.</Trans>
        </Group>
      )}
      {permission === "denied" && (
        <Trans>The title of this tab tells when it is done. Your browser does not allow messages.</Trans>
      )}
      <Text size="sm">
        <Trans>
          You can leave this page.{" "}
          <Anchor href="/api/docs/#/webhooks" size="sm" underline="always">
            A webhook
          </Anchor>{" "}
          tells other programs.
        </Trans>
      </Text>
    </Group>
  );
}
