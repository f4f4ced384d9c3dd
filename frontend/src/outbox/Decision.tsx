import { Trans } from "@lingui/react/macro";
import { Button, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { keys } from "../api/keys";
import { queryClient } from "../app/queries";
import { imageOf, revisionOf } from "./conflicts";
import { settle } from "./outbox";
import type { Command } from "./queue";
import { Refusal } from "./Refusal";
import { Versions } from "./Versions";

/** What a person decides about a change that the studio did not take. */
export function Decision({ command, close }: { command: Command; close: () => void }) {
  if (command.state === "conflict") return <Conflict command={command} />;
  if (command.state !== "refused") return null;
  return (
    <>
      <Text size="xs" c="var(--studio-bad)">
        <Refusal command={command} />
      </Text>
      <Group gap="xs">
        {command.code !== "not_found" && (
          <Button
            size="compact-xs"
            component={Link}
            to={`/projects/${command.project}/images/${imageOf(command.subject)}`}
            onClick={close}
          >
            <Trans>Open the image</Trans>
          </Button>
        )}
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => settle(command.id, "mine", command.revision)}
        >
          <Trans>Send again</Trans>
        </Button>
        <Button size="compact-xs" variant="default" onClick={() => drop(command)}>
          <Trans>Drop this change</Trans>
        </Button>
      </Group>
    </>
  );
}

function Conflict({ command }: { command: Command }) {
  return (
    <>
      <Text size="xs" c="var(--studio-bad)">
        <Trans>This was changed elsewhere meanwhile. Which version do you keep?</Trans>
      </Text>
      <Versions command={command} />
      <Group gap="xs">
        <Button size="compact-xs" onClick={() => settle(command.id, "mine", revisionOf(command.theirs))}>
          <Trans>Keep mine</Trans>
        </Button>
        <Button size="compact-xs" variant="default" onClick={() => drop(command)}>
          <Trans>Keep theirs</Trans>
        </Button>
      </Group>
    </>
  );
}

function drop(command: Command): void {
  settle(command.id, "theirs");
  void queryClient.invalidateQueries({ queryKey: keys.project(command.project) });
}
