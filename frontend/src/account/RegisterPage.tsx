import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { Link, useRouter, useSearch } from "@tanstack/react-router";
import { useSession } from "../api/session";
import { FormPage } from "./FormPage";
import { safeNext } from "./next";
import { onlyProject, registerUser } from "./queries";
import { useForm } from "./useForm";

export default function RegisterPage() {
  const { t } = useLingui();
  const { next } = useSearch({ from: "/register" });
  const invitation = next?.match(/^\/join\/([\w-]+)$/)?.[1];
  const router = useRouter();
  const session = useSession();
  const form = useForm({ username: "", email: "", password: "" }, async ({ username, email, password }) => {
    await registerUser(username, email, password, invitation ?? "");
    // With an invitation one is a member of its project already: it is the only one of a new account.
    router.history.push(invitation ? await onlyProject() : safeNext(next));
  });
  const toLogin = (
    <Trans>
      Already registered?{" "}
      <Anchor renderRoot={(props) => <Link to="/login" search={{ next }} {...props} />}>Log in</Anchor>
    </Trans>
  );
  if (session?.registration_open === false && !invitation)
    return (
      <FormPage title={<Trans>Registration is closed</Trans>} below={toLogin}>
        <Text size="sm">
          <Trans>
            On this studio new people need an invitation. Ask somebody who has a project here for one.
          </Trans>
        </Text>
      </FormPage>
    );
  return (
    <FormPage
      title={<Trans>Create your account</Trans>}
      intro={<Trans>It lives on this studio only. Your images stay here.</Trans>}
      below={toLogin}
    >
      <form onSubmit={(event) => void form.onSubmit(event)}>
        <Stack>
          <TextInput
            label={t`User name`}
            autoComplete="username"
            autoFocus
            required
            {...form.field("username")}
          />
          <TextInput
            label={t`Mail address`}
            type="email"
            autoComplete="email"
            required
            {...form.field("email")}
          />
          <PasswordInput
            label={t`Password`}
            description={t`At least 8 characters, and not a common one.`}
            autoComplete="new-password"
            required
            {...form.field("password")}
          />
          {form.problem && (
            <Text size="sm" c="var(--studio-bad)" role="alert">
              {form.problem}
            </Text>
          )}
          <Button type="submit" loading={form.isBusy}>
            <Trans>Create account</Trans>
          </Button>
        </Stack>
      </form>
    </FormPage>
  );
}
