import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, PasswordInput, Stack, Text } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { FormPage } from "./FormPage";
import { setNewPassword } from "./queries";
import { useForm } from "./useForm";

export default function NewPasswordPage() {
  const { t } = useLingui();
  const { uid, token } = useParams({ from: "/reset/$uid/$token" });
  const [isDone, setIsDone] = useState(false);
  const form = useForm({ new_password: "" }, async ({ new_password }) => {
    await setNewPassword(uid, token, new_password);
    setIsDone(true);
  });
  if (isDone)
    return (
      <FormPage title={<Trans>The new password is set</Trans>}>
        <Button component={Link} to="/login">
          <Trans>Log in</Trans>
        </Button>
      </FormPage>
    );
  return (
    <FormPage title={<Trans>Choose a new password</Trans>}>
      <form onSubmit={(event) => void form.onSubmit(event)}>
        <Stack>
          <PasswordInput
            label={t`New password`}
            autoComplete="new-password"
            autoFocus
            required
            {...form.field("new_password")}
          />
          {form.problem && (
            <Text size="sm" c="var(--studio-bad)" role="alert">
              {form.problem}{" "}
              <Anchor component={Link} to="/reset" size="sm">
                <Trans>Ask for a new link</Trans>
              </Anchor>
            </Text>
          )}
          <Button type="submit" loading={form.isBusy}>
            <Trans>Set the password</Trans>
          </Button>
        </Stack>
      </form>
    </FormPage>
  );
}
