import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { changePassword } from "../queries";
import { useForm } from "../useForm";

export function Password() {
  const { t } = useLingui();
  const form = useForm({ current_password: "", new_password: "" }, async (values): Promise<void> => {
    await changePassword(values.current_password, values.new_password);
    form.set({ current_password: "", new_password: "" });
    notifications.show({ message: t`The new password is set. Other browsers were logged out.` });
  });
  return (
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
  );
}
