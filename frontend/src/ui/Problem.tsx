import { Trans } from "@lingui/react/macro";
import { Alert, Button, Group } from "@mantine/core";
import { asStudioError } from "../api/errors";
import { Icon } from "./Icon";

/** What went wrong, in the studio's words, and a way on. */
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  if (!error) return null;
  const problem = asStudioError(error);
  return (
    <Alert color="red" variant="light" icon={<Icon name="alert-triangle" />} role="alert">
      <Group justify="space-between">
        <span style={{ overflowWrap: "anywhere" }}>
          {problem.status === 0 ? (
            <Trans>The studio cannot be reached. Is it running?</Trans>
          ) : (
            problem.message
          )}
        </span>
        {retry && (
          <Button size="compact-sm" variant="default" onClick={retry}>
            <Trans>Try again</Trans>
          </Button>
        )}
      </Group>
    </Alert>
  );
}
