import { Trans, useLingui } from "@lingui/react/macro";
import { Paper, Progress, Stack, Text } from "@mantine/core";
import type { Activity } from "../api/types";
import { Duration } from "../ui/Duration";

/** How far a piece of work is, on the page that waits for it. */
export function RunningWork({ entry, title }: { entry: Activity; title: string }) {
  const { t } = useLingui();
  const { done, total, eta_seconds: seconds } = entry.progress;
  const share = done && total ? Math.min(100, (100 * done) / total) : 0;
  return (
    <Paper className="panel" p="md" role="status">
      <Stack gap={6}>
        <Text size="sm" fw={600}>
          {title}
        </Text>
        <Progress value={share} animated aria-label={t`${done ?? 0} of ${total ?? 0}`} />
        <Text size="xs" className="quiet">
          {entry.state === "queued" ? (
            <Trans>It waits for its turn.</Trans>
          ) : (
            <Trans>
              {done ?? 0} of {total ?? 0} images
            </Trans>
          )}
          {typeof seconds === "number" && (
            <>
              {" · "}
              <Duration seconds={seconds} />
            </>
          )}
        </Text>
      </Stack>
    </Paper>
  );
}
