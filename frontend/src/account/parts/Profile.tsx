import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Stack, Text, TextInput } from "@mantine/core";
import { formatTime } from "../../ui/numbers";
import { changeProfile, type Me } from "../queries";
import { useForm } from "../useForm";

export function Profile({ me }: { me: Me }) {
  const { t, i18n } = useLingui();
  const first = { first_name: me.first_name ?? "", last_name: me.last_name ?? "" };
  const form = useForm(first, changeProfile);
  const isSame = form.values.first_name === first.first_name && form.values.last_name === first.last_name;
  return (
    <Paper className="panel" p="lg">
      <form onSubmit={(event) => void form.onSubmit(event)}>
        <Stack>
          <div>
            <Text fw={600}>{me.username}</Text>
            <Text size="sm" className="quiet">
              <Trans>here since {formatTime(me.date_joined, i18n.locale)}</Trans>
            </Text>
          </div>
          <Group grow align="flex-start">
            <TextInput label={t`First name`} autoComplete="given-name" {...form.field("first_name")} />
            <TextInput label={t`Last name`} autoComplete="family-name" {...form.field("last_name")} />
          </Group>
          {form.problem && (
            <Text size="sm" c="var(--studio-bad)" role="alert">
              {form.problem}
            </Text>
          )}
          <Button type="submit" loading={form.isBusy} disabled={isSame} style={{ alignSelf: "flex-start" }}>
            <Trans>Save the name</Trans>
          </Button>
        </Stack>
      </form>
    </Paper>
  );
}
