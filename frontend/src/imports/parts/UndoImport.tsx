import { Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { useState } from "react";
import { keys } from "../../api/keys";
import type { Job } from "../../api/types";
import { queryClient } from "../../app/queries";
import { remember, undoChange } from "../../history/changes";
import { tellDone, tellProblem } from "../../history/tell";
import { Icon } from "../../ui/Icon";

/** Takes what an import made away again, into the trash. */
export function UndoImport({ project, job }: { project: string; job: Job }) {
  const { t } = useLingui();
  const [isBusy, setIsBusy] = useState(false);
  const [isDone, setIsDone] = useState(false);
  const change = (job.result as { change?: string | null } | null)?.change;
  if (!change) return null;
  const undo = async () => {
    setIsBusy(true);
    try {
      remember(project, t`Undo of an import`, await undoChange(change));
      await queryClient.invalidateQueries({ queryKey: keys.project(project) });
      setIsDone(true);
      tellDone({
        title: t`The import was undone`,
        message: t`Its images are in the trash.`,
        undoWord: t`Undo`,
      });
    } catch (problem) {
      tellProblem(problem);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <Button
      variant="default"
      loading={isBusy}
      disabled={isDone}
      leftSection={<Icon name="arrow-back-up" size={16} />}
      onClick={() => void undo()}
    >
      <Trans>Undo the import</Trans>
    </Button>
  );
}
