import { Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Icon } from "./Icon";
import type { IconName } from "./icon-paths";

/** A list without entries says what would be here, and offers what to do about it. */
export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon: IconName;
  title: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <Stack align="center" ta="center" py={64} px="md" gap="sm" maw={520} mx="auto">
      <span className="quiet">
        <Icon name={icon} size={40} />
      </span>
      <Title order={2} size="h3">
        {title}
      </Title>
      {children && <Text className="quiet">{children}</Text>}
      {action}
    </Stack>
  );
}
