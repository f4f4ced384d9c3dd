import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { formatTime } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import { endCode, useCodes } from "../queries";

/** Codes that still work. What they are was shown once; here they are ended. */
export function Codes({ project, isOpen }: { project: string; isOpen: boolean }) {
  const { t, i18n } = useLingui();
  const { data } = useCodes(project, isOpen);
  const [error, setError] = useState<unknown>(null);
  const now = new Date().toISOString();
  const working = data?.results.filter((code) => code.uses_left > 0 && code.expires_at > now) ?? [];
  if (working.length === 0) return <Problem error={error} />;
  return (
    <Stack gap={4}>
      <Text size="sm" fw={600}>
        <Trans>Codes that still work</Trans>
      </Text>
      {working.map((code) => (
        <Group key={code.id} justify="space-between" wrap="nowrap">
          <Text size="xs" className="quiet">
            <Plural value={code.uses_left} one="For # device" other="For # devices" />,{" "}
            <Trans>until {formatTime(code.expires_at, i18n.locale)}</Trans>
          </Text>
          <Button
            size="compact-xs"
            variant="subtle"
            aria-label={t`End the code until ${formatTime(code.expires_at, i18n.locale)}`}
            onClick={() => {
              setError(null);
              endCode(project, code.id).catch(setError);
            }}
          >
            <Trans>End</Trans>
          </Button>
        </Group>
      ))}
      <Problem error={error} />
    </Stack>
  );
}
