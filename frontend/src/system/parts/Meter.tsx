import { Group, Progress, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Icon } from "../../ui/Icon";

interface Props {
  title: string;
  /** From 0 to 1. */
  share: number;
  /** What it means in words: colour and length are not the only sign. */
  words: ReactNode;
  isBad?: boolean;
}

export function Meter({ title, share, words, isBad = false }: Props) {
  return (
    <Stack gap={4}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={600}>
          {title}
        </Text>
        <Text size="sm" c={isBad ? "var(--studio-warn)" : undefined}>
          {isBad && <Icon name="alert-triangle" size={13} />} {words}
        </Text>
      </Group>
      <Progress
        value={100 * Math.min(1, Math.max(0, share))}
        size="sm"
        color={isBad ? "yellow" : undefined}
        aria-label={title}
      />
    </Stack>
  );
}
