import { plural } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { Badge, Button, Group, Popover, Stack, Text, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { Decision } from "../outbox/Decision";
import { flush, useOutbox } from "../outbox/outbox";
import { Icon } from "../ui/Icon";

/** Whether the server has everything: "saved", "3 waiting", "offline", or something that asks for a decision. */
export function SavedState() {
  const { t } = useLingui();
  const { queue, isOffline } = useOutbox();
  const [isOpen, setIsOpen] = useState(false);
  // What is settled closes it, or it would open by itself over the next change.
  if (isOpen && queue.length === 0) setIsOpen(false);
  const stuck = queue.filter(({ state }) => state === "conflict" || state === "refused");
  const text = isOffline
    ? t`Offline, ${queue.length} waiting`
    : stuck.length > 0
      ? t`${plural(stuck.length, { one: "# needs you", other: "# need you" })}`
      : queue.length > 0
        ? t`${queue.length} waiting`
        : t`Saved`;
  const icon = isOffline
    ? "cloud-off"
    : stuck.length > 0
      ? "alert-triangle"
      : queue.length > 0
        ? "cloud-upload"
        : "cloud-check";
  return (
    <Popover
      position="bottom-end"
      width={340}
      withinPortal
      disabled={queue.length === 0}
      opened={isOpen}
      onChange={setIsOpen}
    >
      <Popover.Target>
        <UnstyledButton aria-label={text} data-testid="saved-state" onClick={() => setIsOpen(!isOpen)}>
          <Badge
            size="lg"
            variant={queue.length === 0 ? "transparent" : "default"}
            c={stuck.length > 0 ? "var(--studio-bad)" : "var(--studio-quiet)"}
            leftSection={<Icon name={icon} size={15} />}
          >
            <Text span size="xs" visibleFrom="sm" inherit>
              {text}
            </Text>
          </Badge>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          {isOffline && (
            <Group justify="space-between">
              <Text size="sm">
                <Trans>Your changes wait in this browser.</Trans>
              </Text>
              <Button size="compact-xs" variant="default" onClick={() => void flush()}>
                <Trans>Send now</Trans>
              </Button>
            </Group>
          )}
          {queue.slice(0, 20).map((command) => (
            <Stack key={command.id} gap={2}>
              <Text size="sm">{command.title}</Text>
              <Decision command={command} close={() => setIsOpen(false)} />
            </Stack>
          ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
