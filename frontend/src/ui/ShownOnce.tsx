import { Trans } from "@lingui/react/macro";
import { Button, CopyButton, Group, TextInput } from "@mantine/core";
import { Icon } from "./Icon";

/** A secret, or a line with one, to be copied now. */
export function ShownOnce({ label, value }: { label: string; value: string }) {
  return (
    <Group wrap="nowrap" align="flex-end" gap="xs">
      <TextInput
        flex={1}
        miw={0}
        readOnly
        label={label}
        value={value}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 13 } }}
        onFocus={(event) => event.currentTarget.select()}
      />
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button
            variant="default"
            flex="none"
            leftSection={<Icon name={copied ? "check" : "copy"} size={16} />}
            onClick={copy}
          >
            {copied ? <Trans>Copied</Trans> : <Trans>Copy</Trans>}
          </Button>
        )}
      </CopyButton>
    </Group>
  );
}
