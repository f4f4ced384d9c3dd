import { Button, Group } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import type { ReactNode } from "react";
import { asStudioError } from "../api/errors";

interface Told {
  title: string;
  message: ReactNode;
  /** The word on the button, and what it does; left out where nothing can be taken back. */
  undoWord: string;
  undo?: () => Promise<unknown>;
}

/** Says what was done, for eight seconds, with a way back. */
export function tellDone({ title, message, undoWord, undo }: Told): void {
  const id = notifications.show({
    autoClose: 8000,
    title,
    message: (
      <Group justify="space-between">
        {message}
        {undo && (
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => {
              notifications.hide(id);
              undo().catch(tellProblem);
            }}
          >
            {undoWord}
          </Button>
        )}
      </Group>
    ),
  });
}

export function tellProblem(problem: unknown): void {
  notifications.show({ color: "red", message: asStudioError(problem).message });
}
