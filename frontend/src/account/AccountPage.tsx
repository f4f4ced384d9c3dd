import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Container, Group, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Link } from "@tanstack/react-router";
import { useMe } from "../api/session";
import { Logins } from "./Logins";
import { changePassword } from "./queries";
import { useForm } from "./useForm";

export default function AccountPage() {
  const { t } = useLingui();
  const me = useMe();
  const form = useForm({ current_password: "", new_password: "" }, async (values) => {
    await changePassword(values.current_password, values.new_password);
    notifications.show({ message: t`The new password is set. Other browsers were logged out.` });
  });
  return (
    <Container size="sm" py="xl">
      <Stack gap="lg">
        <Title order={1} size="h2">
          <Trans>Your account</Trans>
        </Title>
        <Paper className="panel" p="lg">
          <Text fw={600}>{me.username}</Text>
          <Text size="sm" className="quiet">
            {me.email}
          </Text>
        </Paper>
        <Paper className="panel" p="lg">
          <form onSubmit={(event) => void form.onSubmit(event)}>
            <Stack>
              <Title order={2} size="h4">
                <Trans>Password</Trans>
              </Title>
              <PasswordInput
                label={t`Current password`}
                autoComplete="current-password"
                required
                {...form.field("current_password")}
              />
              <PasswordInput
                label={t`New password`}
                autoComplete="new-password"
                required
                {...form.field("new_password")}
              />
              {form.problem && (
                <Text size="sm" c="var(--studio-bad)" role="alert">
                  {form.problem}
                </Text>
              )}
              <Button type="submit" loading={form.isBusy} style={{ alignSelf: "flex-start" }}>
                <Trans>Change the password</Trans>
              </Button>
            </Stack>
          </form>
        </Paper>
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
        <Logins />
      </Stack>
    </Container>
  );
}
