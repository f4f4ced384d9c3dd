import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { Link, useRouter, useSearch } from "@tanstack/react-router";
import { useSession } from "../api/session";
import { FormPage } from "./FormPage";
import { safeNext } from "./next";
import { login } from "./queries";
import { useForm } from "./useForm";

export default function LoginPage() {
  const { t } = useLingui();
  const { next } = useSearch({ from: "/login" });
  const router = useRouter();
  const session = useSession();
  const form = useForm({ username: "", password: "" }, async ({ username, password }) => {
    await login(username, password);
    router.history.push(safeNext(next));
  });
  return (
    <FormPage
      title={<Trans>Log in</Trans>}
      below={
        session?.registration_open !== false && (
          <Trans>
            No account yet?{" "}
            <Anchor renderRoot={(props) => <Link to="/register" search={{ next }} {...props} />}>
              Register
            </Anchor>
          </Trans>
        )
      }
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
          <PasswordInput
            label={t`Password`}
            autoComplete="current-password"
            required
            {...form.field("password")}
          />
          {form.problem && (
            <Text size="sm" c="var(--studio-bad)" role="alert">
              {form.problem}
            </Text>
          )}
          <Button type="submit" loading={form.isBusy}>
            <Trans>Log in</Trans>
          </Button>
          <Anchor component={Link} to="/reset" size="sm" ta="center">
            <Trans>Forgot the password?</Trans>
          </Anchor>
        </Stack>
      </form>
    </FormPage>
  );
}
