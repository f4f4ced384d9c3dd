import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { formatDay } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import { addMember, endInvitation, type Role, useInvited } from "../queries";

interface Props {
  project: string;
  /** What they may do, and its name. */
  role: Role;
  roleName: string;
}

/** Add somebody whose user name is known, and see who has not answered yet. */
export function InviteByName({ project, role, roleName }: Props) {
  const { t, i18n } = useLingui();
  const { data: invited } = useInvited(project, true);
  const [name, setName] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const attempt = async (work: () => Promise<unknown>) => {
    setIsBusy(true);
    setError(null);
    try {
      await work();
      setName("");
    } catch (problem) {
      setError(problem);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <Stack gap="xs">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void attempt(() => addMember(project, name.trim(), role));
        }}
      >
        <Group align="flex-end">
          <TextInput
            flex={1}
            miw={160}
            label={t`Or add by user name`}
            value={name}
            maxLength={150}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" loading={isBusy} disabled={!name.trim()}>
            <Trans>Add as {roleName}</Trans>
          </Button>
        </Group>
      </form>
      <Problem error={error} />
      {invited?.results.map((one) => (
        <Group key={one.id} justify="space-between" wrap="nowrap">
          <Text size="xs" className="quiet" truncate>
            <Trans>
              {one.username} is invited, until {formatDay(one.expires_at, i18n.locale)}
            </Trans>
          </Text>
          <Button
            size="compact-xs"
            variant="subtle"
            aria-label={t`Take back the invitation of ${one.username}`}
            onClick={() => void attempt(() => endInvitation(project, one.id))}
          >
            <Trans>Take back</Trans>
          </Button>
        </Group>
      ))}
    </Stack>
  );
}
