import { Trans } from "@lingui/react/macro";
import { Button, Group, Paper, Skeleton, Stack, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { Logins } from "./Logins";
import { DeleteAccount } from "./parts/DeleteAccount";
import { Mail } from "./parts/Mail";
import { Password } from "./parts/Password";
import { Profile } from "./parts/Profile";
import { Quotas } from "./parts/Quotas";
import { Tokens } from "./parts/Tokens";
import { useOwn, useTokens } from "./queries";

/** Everything of one's own account. Nothing is shown before its lists are here: what one clicks at would move away. */
export default function AccountPage() {
  const { data: me, error, refetch } = useOwn();
  const tokens = useTokens();
  const isLoading = (!me && !error) || tokens.isPending;
  return (
    <Page width="sm">
      <Stack gap="lg">
        <Title order={1} size="h2">
          <Trans>Your account</Trans>
        </Title>
        <Problem error={error} retry={() => void refetch()} />
        {isLoading ? (
          <Skeleton height={480} radius="md" />
        ) : (
          <>
            {me && <Profile me={me} />}
            {me && <Mail me={me} />}
            <Password />
            <Tokens />
            <Logins />
            {me && <Quotas limits={me.limits} />}
            <Paper className="panel" p="lg">
              <Group justify="space-between">
                <Title order={2} size="h4">
                  <Trans>Keys</Trans>
                </Title>
                <Button component={Link} to="/help/keys" variant="default">
                  <Trans>Show and change keys</Trans>
                </Button>
              </Group>
            </Paper>
            {me && <DeleteAccount me={me} />}
          </>
        )}
      </Stack>
    </Page>
  );
}
