import { Trans } from "@lingui/react/macro";
import type { Task } from "../../api/types";

/** What the models of a project do. */
export function TaskInWords({ task }: { task: Task | undefined }) {
  if (task === "detection") return <Trans>Finds things with boxes</Trans>;
  if (task === "multilabel") return <Trans>Names all that is on an image</Trans>;
  return <Trans>Names what is on an image</Trans>;
}
