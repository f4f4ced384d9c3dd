import { Trans } from "@lingui/react/macro";
import type { Command } from "./queue";

/** Why the studio does not take a change, and what to do; in the studio's own words where none are known here. */
export function Refusal({ command }: { command: Command }) {
  switch (command.code) {
    case "not_found":
      return (
        <Trans>
          The image was deleted, or you are no member of the project any more. Restore it from the trash and
          send this again, or drop this change.
        </Trans>
      );
    case "unknown_label":
    case "label_deleted":
      return (
        <Trans>
          A label of it was deleted meanwhile. Open the image and choose another one, or drop this change.
        </Trans>
      );
    case "permission_denied":
      return (
        <Trans>
          You may look at this project, and not change it. Ask its owner to make you an editor and send this
          again, or drop this change.
        </Trans>
      );
    default:
      return <Trans>The studio did not take it: {command.problem}</Trans>;
  }
}
