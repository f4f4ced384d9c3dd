import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useCatalog } from "../keyboard/catalog";
import { allRivals } from "../keyboard/remap";
import { prefer, usePreferences } from "../preferences/preferences";
import { Page } from "../ui/Page";
import { KeyRow } from "./KeyRow";

/** All keys of the studio by page; each can be given another by pressing it. */
export default function KeysPage() {
  const { t } = useLingui();
  const parts = useCatalog();
  const { keys: own = {} } = usePreferences();
  const actions = parts.flatMap((part) => part.actions);
  const doubled = allRivals(actions, own);
  const changed = Object.keys(own);
  const reset = () => {
    prefer({
      keys: Object.fromEntries(changed.map((id) => [id, null])) as unknown as Record<string, string[]>,
    });
    notifications.show({ message: t`All keys have their default values.` });
  };
  return (
    <Page width="sm">
      <Stack gap="lg">
        <Group justify="space-between" align="flex-end">
          <Title order={1} size="h2">
            <Trans>Keys</Trans>
          </Title>
          <Button variant="default" disabled={changed.length === 0} onClick={reset}>
            <Trans>Reset all keys</Trans>
          </Button>
        </Group>
        <Text size="sm" className="quiet">
          <Trans>
            Choose “Change” and press the key that the action should have. Your keys follow you to other
            browsers. The keys of labels belong to a project and are set on its page of labels; ? shows the
            keys of the page that is open.
          </Trans>
        </Text>
        {parts.map((part) => (
          <Paper key={part.page} className="panel" p="md" component="section" aria-label={part.title}>
            <Title order={2} size="h4" mb="xs">
              {part.title}
            </Title>
            {part.actions.map((action) => (
              <KeyRow
                key={action.id}
                action={action}
                actions={actions}
                own={own}
                doubled={doubled.get(action.id) ?? []}
              />
            ))}
          </Paper>
        ))}
      </Stack>
    </Page>
  );
}
