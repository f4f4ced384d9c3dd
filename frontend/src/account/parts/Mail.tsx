import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { changeProfile, type Me } from "../queries";
import { useForm } from "../useForm";

/** The mail address; another one counts when the link in the mail to it was opened. */
export function Mail({ me }: { me: Me }) {
  const { t } = useLingui();
  const form = useForm({ email: "", current_password: "" }, async (values): Promise<void> => {
    await changeProfile(values);
    form.set({ email: "", current_password: "" });
  });
  return (
    <Paper className="panel" p="lg">
      <form onSubmit={(event) => void form.onSubmit(event)}>
        <Stack>
          <div>
            <Title order={2} size="h4">
              <Trans>Mail address</Trans>
            </Title>
            <Text size="sm" style={{ overflowWrap: "anywhere" }}>
              {me.email || <Trans>none yet</Trans>}
            </Text>
          </div>
          {me.pending_email && (
            <Text size="sm" role="status">
              <Trans>
                A mail with a link was sent to {me.pending_email}. The address counts when the link was
                opened.
              </Trans>
            </Text>
          )}
          <TextInput
            label={t`New mail address`}
            type="email"
            autoComplete="email"
            required
            {...form.field("email")}
          />
          {form.values.email && (
            <PasswordInput
              label={t`Password, to be sure that it is you`}
              autoComplete="current-password"
              required
              {...form.field("current_password")}
            />
          )}
          {form.problem && (
            <Text size="sm" c="var(--studio-bad)" role="alert">
              {form.problem}
            </Text>
          )}
          <Button type="submit" loading={form.isBusy} style={{ alignSelf: "flex-start" }}>
            <Trans>Change the address</Trans>
          </Button>
        </Stack>
      </form>
    </Paper>
  );
}
