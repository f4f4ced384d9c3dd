import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { answerInvitation, useOwnInvitations } from "../../members/queries";
import { Problem } from "../../ui/Problem";

/** Projects that others want one in, to accept or decline. */
export function Invitations() {
  const { t } = useLingui();
  const { data } = useOwnInvitations();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState("");
  const roles = { owner: t`Owner`, editor: t`Editor`, viewer: t`Viewer` };
  const answer = async (id: string, what: "accept" | "decline") => {
    setBusy(id);
    setError(null);
    try {
      await answerInvitation(id, what);
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy("");
    }
  };
  if (!data?.results.length && !error) return null;
  return (
    <Stack gap="xs" mb="lg">
      {data?.results.map((one) => (
        <Paper key={one.id} className="panel" p="md">
          <Group justify="space-between">
            <Text size="sm" style={{ overflowWrap: "anywhere" }}>
              {one.invited_by ? (
                <Trans>
                  {one.invited_by} invites you to “{one.project_name}”. Role: {roles[one.role]}
                </Trans>
              ) : (
                <Trans>
                  You are invited to “{one.project_name}”. Role: {roles[one.role]}
                </Trans>
              )}
            </Text>
            <Group gap="xs">
              <Button
                variant="default"
                loading={busy === one.id}
                onClick={() => void answer(one.id, "decline")}
              >
                <Trans>Decline</Trans>
              </Button>
              <Button loading={busy === one.id} onClick={() => void answer(one.id, "accept")}>
                <Trans>Join</Trans>
              </Button>
            </Group>
          </Group>
        </Paper>
      ))}
      <Problem error={error} />
    </Stack>
  );
}
