import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Anchor, Group, Kbd, Modal, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { readable } from "./keys";
import { conflicts, keysOf, type Shortcut, useRegistry } from "./registry";
import { useShortcut } from "./useShortcut";

/** All keys that work on the page that is open, by part of the studio. */
export function Sheet() {
  const { t } = useLingui();
  const { active, own, sheetIsOpen } = useRegistry();
  const close = () => useRegistry.setState({ sheetIsOpen: false });
  useShortcut({
    id: "studio.keys",
    scope: t`Everywhere`,
    title: t`Show the keys of this page`,
    keys: "?",
    run: () => useRegistry.setState({ sheetIsOpen: true }),
  });
  const scopes = new Map<string, Shortcut[]>();
  for (const shortcut of active)
    if (!shortcut.hidden) scopes.set(shortcut.scope, [...(scopes.get(shortcut.scope) ?? []), shortcut]);
  // Among the keys that the studio gives, one on top of another is meant: arrows move a box while one is chosen.
  const doubled = [...conflicts(active, own)]
    .filter(([, shortcuts]) => shortcuts.some(({ id }) => id in own))
    .map(([place]) => place.split("\n")[1] ?? "");
  return (
    <Modal
      opened={sheetIsOpen}
      onClose={close}
      title={t`Keys`}
      size="lg"
      closeButtonProps={{ "aria-label": t`Close` }}
    >
      {doubled.length > 0 && (
        <Alert color="orange" mb="md">
          <Trans>More than one action has these keys: {doubled.join(", ")}</Trans>
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xl">
        {[...scopes].map(([scope, shortcuts]) => (
          <Stack key={scope} gap={6}>
            <Title order={3} size="sm">
              {scope}
            </Title>
            {shortcuts.map((shortcut) => (
              <Group key={shortcut.id} justify="space-between" gap="xs">
                <Text size="sm" flex="1 1 90px">
                  {shortcut.title}
                </Text>
                <Group gap={4} wrap="nowrap" ml="auto">
                  {keysOf(shortcut, own).map((keys) => (
                    <Keys key={keys} keys={keys} />
                  ))}
                </Group>
              </Group>
            ))}
          </Stack>
        ))}
      </SimpleGrid>
      {/* The sheet lies outside of the router, so this is a plain link. */}
      <Anchor href="/help/keys" size="sm" mt="lg" display="block">
        <Trans>All keys, and change them</Trans>
      </Anchor>
    </Modal>
  );
}

export function Keys({ keys }: { keys: string }) {
  return (
    <Group gap={2} wrap="nowrap">
      {readable(keys).map((part) => (
        <Kbd key={part} size="xs">
          {part}
        </Kbd>
      ))}
    </Group>
  );
}
