import { Plural } from "@lingui/react/macro";
import { Button, Group } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { undo } from "../history/history";

/** Says how many images a change was for, and offers to take it back where that can be. */
export function tellChanged(
  project: string,
  title: string,
  answer: { changed: number; change: string | null },
  undoWord: string,
): void {
  const id = notifications.show({
    autoClose: 8000,
    title,
    message: (
      <Group justify="space-between">
        <Plural value={answer.changed} one="# image changed." other="# images changed." />
        {answer.change && (
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => {
              notifications.hide(id);
              void undo(project);
            }}
          >
            {undoWord}
          </Button>
        )}
      </Group>
    ),
  });
}
