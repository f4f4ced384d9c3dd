import { Trans, useLingui } from "@lingui/react/macro";
import { Badge, Button, Group, Popover, Stack, Text, UnstyledButton } from "@mantine/core";
import { keys } from "../api/keys";
import { revisionOf } from "../outbox/conflicts";
import { flush, settle, useOutbox } from "../outbox/outbox";
import { Versions } from "../outbox/Versions";
import { Icon } from "../ui/Icon";
import { queryClient } from "./queries";

/** Whether the server has everything: "saved", "3 waiting", "offline", or something that asks for a decision. */
export function SavedState() {
  const { t } = useLingui();
  const { queue, isOffline } = useOutbox();
  const stuck = queue.filter(({ state }) => state === "conflict" || state === "refused");
  const text = isOffline
    ? t`Offline, ${queue.length} waiting`
    : stuck.length > 0
      ? t`${stuck.length} need you`
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
    <Popover position="bottom-end" width={340} withinPortal disabled={queue.length === 0}>
      <Popover.Target>
        <UnstyledButton aria-label={text} data-testid="saved-state">
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
              {command.problem && (
                <Text size="xs" c="var(--studio-bad)">
                  {command.state === "conflict" ? (
                    <Trans>This was changed elsewhere meanwhile. Which version do you keep?</Trans>
                  ) : (
                    command.problem
                  )}
                </Text>
              )}
              {command.state === "conflict" && <Versions command={command} />}
              {(command.state === "conflict" || command.state === "refused") && (
                <Group gap="xs">
                  {command.state === "conflict" && (
                    <Button
                      size="compact-xs"
                      onClick={() => settle(command.id, "mine", revisionOf(command.theirs))}
                    >
                      <Trans>Keep mine</Trans>
                    </Button>
                  )}
                  <Button
                    size="compact-xs"
                    variant="default"
                    onClick={() => {
                      settle(command.id, "theirs");
                      void queryClient.invalidateQueries({ queryKey: keys.project(command.project) });
                    }}
                  >
                    {command.state === "conflict" ? (
                      <Trans>Keep theirs</Trans>
                    ) : (
                      <Trans>Drop this change</Trans>
                    )}
                  </Button>
                </Group>
              )}
            </Stack>
          ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
