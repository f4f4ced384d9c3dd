import { Plural, Trans } from "@lingui/react/macro";
import { useSession } from "../api/session";

/** What becomes of something that is deleted, for dialogs that ask. */
export function TrashNote() {
  const days = useSession()?.limits.trash_days ?? 0;
  if (days <= 0) return <Trans>This cannot be undone.</Trans>;
  return (
    <Plural
      value={days}
      one="It stays in the trash for # day, from where it can be restored."
      other="It stays in the trash for # days, from where it can be restored."
    />
  );
}
