import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Text } from "@mantine/core";
import { Outlet } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { onUpgrade } from "../api/client";

export function Root() {
  return (
    <>
      <UpgradeNotice />
      <Outlet />
    </>
  );
}

/** The studio behind this tab was upgraded: old pages may ask for files that are gone. */
function UpgradeNotice() {
  const { t } = useLingui();
  const [isNew, setIsNew] = useState(false);
  useEffect(() => onUpgrade(() => setIsNew(true)), []);
  if (!isNew) return null;
  return (
    <Paper role="status" aria-label={t`New version`} withBorder p="xs" radius={0}>
      <Group justify="center">
        <Text size="sm">
          <Trans>The studio was upgraded. Load the page again to use the new version.</Trans>
        </Text>
        <Button size="compact-sm" onClick={() => window.location.reload()}>
          <Trans>Load again</Trans>
        </Button>
      </Group>
    </Paper>
  );
}
