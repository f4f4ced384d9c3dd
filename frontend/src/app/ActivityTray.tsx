import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Indicator, Popover, ScrollArea, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { ActivityRow } from "../activity/ActivityRow";
import { newest } from "../activity/entries";
import { useActivity } from "../activity/queries";
import { Icon } from "../ui/Icon";

export function ActivityTray() {
  const { t } = useLingui();
  const { data } = useActivity(null);
  const running = data?.filter(({ state }) => state === "running" || state === "queued") ?? [];
  return (
    <Popover position="bottom-end" width={380} withinPortal>
      <Indicator label={running.length} disabled={running.length === 0} size={16} offset={6}>
        <Popover.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t`Background work, ${running.length} running`}
          >
            <Icon name="bell" />
          </ActionIcon>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown>
        <ScrollArea.Autosize mah="60vh">
          <Stack gap="sm">
            {data?.length === 0 && (
              <Text size="sm" className="quiet">
                <Trans>
                  Nothing runs in the background. Imports, exports and trainings will be listed here.
                </Trans>
              </Text>
            )}
            {newest(data ?? [], 12).map((entry) => (
              <ActivityRow key={entry.id} entry={entry} />
            ))}
            <Text component={Link} to="/activity" size="sm">
              <Trans>Everything that ran</Trans>
            </Text>
          </Stack>
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}
