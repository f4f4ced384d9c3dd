import { Trans, useLingui } from "@lingui/react/macro";
import { Badge, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../api/client";
import type { components } from "../api/schema";
import { ConfirmDelete } from "../ui/ConfirmDelete";
import { formatTime } from "../ui/numbers";
import { Problem } from "../ui/Problem";
import { browserOf } from "./browser";
import { logOutEverywhere } from "./queries";

type LoginSession = components["schemas"]["LoginSession"];

/** Where one is logged in, each to be ended by itself. */
export function Logins() {
  const { t, i18n } = useLingui();
  const navigate = useNavigate();
  const [isEnding, setIsEnding] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: ["logins"],
    queryFn: async (): Promise<LoginSession[]> => {
      const { data } = await api.GET("/api/v1/users/me/logins/");
      return (data as { results?: LoginSession[] } | undefined)?.results ?? ((data ?? []) as LoginSession[]);
    },
  });
  const end = async (id: string) => {
    await api.DELETE("/api/v1/users/me/logins/{id}/", { params: { path: { id } } });
    await refetch();
  };
  return (
    <Paper className="panel" p="lg">
      <Stack>
        <Group justify="space-between">
          <Title order={2} size="h4">
            <Trans>Where you are logged in</Trans>
          </Title>
          {data && data.length > 1 && (
            <Button size="compact-sm" variant="default" onClick={() => setIsEnding(true)}>
              <Trans>Log out everywhere</Trans>
            </Button>
          )}
        </Group>
        <Problem error={error} />
        {data?.map((login) => (
          <Group key={login.id} justify="space-between" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Group gap="xs">
                <Text size="sm" fw={600} lineClamp={1} title={login.user_agent}>
                  {browserOf(login.user_agent ?? "") || t`A program`}
                </Text>
                {login.is_current && (
                  <Badge>
                    <Trans>this browser</Trans>
                  </Badge>
                )}
              </Group>
              <Text size="xs" className="quiet">
                <Trans>since {formatTime(login.created_at, i18n.locale)}</Trans>
              </Text>
            </div>
            {!login.is_current && (
              <Button size="compact-sm" variant="default" flex="none" onClick={() => void end(login.id)}>
                <Trans>End</Trans>
              </Button>
            )}
          </Group>
        ))}
        <ConfirmDelete
          opened={isEnding}
          title={t`Log out everywhere?`}
          action={t`Log out everywhere`}
          confirm={async () => {
            await logOutEverywhere();
            await navigate({ to: "/login" });
          }}
          close={() => setIsEnding(false)}
        >
          <Trans>Every login ends, also this one. Access tokens stay.</Trans>
        </ConfirmDelete>
      </Stack>
    </Paper>
  );
}
