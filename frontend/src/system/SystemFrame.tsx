import { Trans, useLingui } from "@lingui/react/macro";
import { Stack, Title } from "@mantine/core";
import { Link, Outlet } from "@tanstack/react-router";
import { useMe } from "../api/session";
import { EmptyState } from "../ui/EmptyState";
import { Page } from "../ui/Page";
import classes from "./System.module.css";

/** What the staff sees of the studio, in parts. For everybody else a word about who may. */
export function SystemFrame() {
  const { t } = useLingui();
  const me = useMe();
  const parts = [
    { to: "/system", title: t`Machine` },
    { to: "/system/users", title: t`Users` },
    { to: "/system/storage", title: t`Storage` },
    { to: "/system/backups", title: t`Backups` },
    { to: "/system/settings", title: t`Settings` },
  ];
  if (!me.is_staff)
    return (
      <EmptyState icon="lock" title={<Trans>This page is for the staff of the studio</Trans>}>
        <Trans>Someone of the staff can make you one of them.</Trans>
      </EmptyState>
    );
  return (
    <Page>
      <Stack gap="lg">
        <Title order={1} size="h2">
          <Trans>System</Trans>
        </Title>
        <nav className={classes.parts} aria-label={t`System`}>
          {parts.map(({ to, title }) => (
            <Link
              key={to}
              to={to}
              activeOptions={{ exact: true, includeSearch: false }}
              className={classes.part}
            >
              {title}
            </Link>
          ))}
        </nav>
        <Outlet />
      </Stack>
    </Page>
  );
}
