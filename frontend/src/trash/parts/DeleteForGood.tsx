import { Trans } from "@lingui/react/macro";
import { ConfirmDelete } from "../../ui/ConfirmDelete";

interface Props {
  opened: boolean;
  title: string;
  confirm: () => Promise<unknown>;
  close: () => void;
}

export function DeleteForGood(props: Props) {
  return (
    <ConfirmDelete {...props}>
      <Trans>It is gone after that: this cannot be undone.</Trans>
    </ConfirmDelete>
  );
}
