import { Center, Group, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** The frame of the pages before the login. */
export function FormPage({
  title,
  intro,
  children,
  below,
}: {
  title: ReactNode;
  intro?: ReactNode;
  children: ReactNode;
  below?: ReactNode;
}) {
  return (
    <Center component="main" mih="100dvh" p="md">
      <Stack w="100%" maw={380} gap="lg">
        <Group justify="center" gap={10}>
          <svg width="36" height="36" viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="8" fill="#0b6e99" />
            <rect x="7" y="9" width="18" height="14" rx="2" fill="none" stroke="#fff" strokeWidth="2.2" />
            <path
              d="M7 20l5-5 4 4 3-3 6 5"
              fill="none"
              stroke="#fff"
              strokeWidth="2.2"
              strokeLinejoin="round"
            />
            <circle cx="20.5" cy="13" r="1.8" fill="#fff" />
          </svg>
          <Text fw={700} size="xl">
            ML Studio
          </Text>
        </Group>
        <Paper className="panel" p="xl">
          <Stack gap="md">
            <div>
              <Title order={1} size="h3">
                {title}
              </Title>
              {intro && (
                <Text size="sm" className="quiet" mt={4}>
                  {intro}
                </Text>
              )}
            </div>
            {children}
          </Stack>
        </Paper>
        {below && (
          <Text size="sm" ta="center">
            {below}
          </Text>
        )}
      </Stack>
    </Center>
  );
}
