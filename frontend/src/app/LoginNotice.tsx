import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { onLoginEnded } from "../api/client";
import { useOutbox } from "../outbox/outbox";

/** The login has ended while a page was open: what was done meanwhile waits in the browser for the next one. */
export function LoginNotice() {
  const { t } = useLingui();
  const [isEnded, setIsEnded] = useState(false);
  const waits = useOutbox(({ queue }) => queue.length > 0);
  useEffect(() => onLoginEnded(() => setIsEnded(true)), []);
  if (!isEnded) return null;
  const logIn = () => {
    const next = window.location.pathname + window.location.search;
    window.location.assign(`/login?next=${encodeURIComponent(next)}`);
  };
  return (
    <Paper
      role="alert"
      aria-label={t`Logged out`}
      withBorder
      p="xs"
      radius={0}
      pos="sticky"
      top={52}
      style={{ zIndex: 110 }}
    >
      <Group justify="center">
        <Text size="sm">
          {waits ? (
            <Trans>Your login has ended. What you did since waits in this browser until you log in.</Trans>
          ) : (
            <Trans>Your login has ended.</Trans>
          )}
        </Text>
        <Button size="compact-sm" onClick={logIn}>
          <Trans>Log in</Trans>
        </Button>
      </Group>
    </Paper>
  );
}
