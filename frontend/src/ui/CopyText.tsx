import { Trans } from "@lingui/react/macro";
import { Button, CopyButton } from "@mantine/core";
import { Icon } from "./Icon";

/** A button that copies a text, and says that it has. */
export function CopyText({ value, size = "compact-sm" }: { value: string; size?: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Button
          size={size}
          variant="default"
          leftSection={<Icon name={copied ? "check" : "copy"} size={16} />}
          onClick={copy}
        >
          {copied ? <Trans>Copied</Trans> : <Trans>Copy</Trans>}
        </Button>
      )}
    </CopyButton>
  );
}
