import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Anchor, Button, Stack, Text, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useSession } from "../api/session";
import { FormPage } from "./FormPage";
import { askForReset } from "./queries";
import { useForm } from "./useForm";

export default function ResetPage() {
  const { t } = useLingui();
  const session = useSession();
  const [isSent, setIsSent] = useState(false);
  const form = useForm({ email: "" }, async ({ email }) => {
    await askForReset(email);
    setIsSent(true);
  });
  const back = (
    <Anchor component={Link} to="/login">
      <Trans>Back to the login</Trans>
    </Anchor>
  );
  if (isSent)
    return (
      <FormPage title={<Trans>Look at your mail</Trans>} below={back}>
        <Text size="sm">
          <Trans>
            If an account has this address, a mail with a link is on its way. The link works for a limited
            time.
          </Trans>
        </Text>
      </FormPage>
    );
  return (
    <FormPage
      title={<Trans>Forgot the password?</Trans>}
      intro={<Trans>A mail brings you a link to set a new one.</Trans>}
      below={back}
    >
      {session && !session.mail_works && (
        <Alert color="orange">
          <Trans>
            This studio sends no mail yet. The link appears in the output of the server: ask who runs it.
          </Trans>
        </Alert>
      )}
      <form onSubmit={(event) => void form.onSubmit(event)}>
        <Stack>
          <TextInput
            label={t`Mail address`}
            type="email"
            autoComplete="email"
            autoFocus
            required
            {...form.field("email")}
          />
          {form.problem && (
            <Text size="sm" c="var(--studio-bad)" role="alert">
              {form.problem}
            </Text>
          )}
          <Button type="submit" loading={form.isBusy}>
            <Trans>Send the link</Trans>
          </Button>
        </Stack>
      </form>
    </FormPage>
  );
}
