import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, FileButton, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { goesOnWith } from "../sending";

/** Files that the browser could not keep: their uploads go on once they are chosen again. */
export function Interrupted({ count }: { count: number }) {
  const { t } = useLingui();
  const choose = (files: File[]) => {
    const others = files.filter((file) => !goesOnWith(file)).map(({ name }) => name);
    if (others.length > 0)
      notifications.show({
        color: "red",
        message: t`${others.join(", ")}: not the file whose upload was interrupted, or it was changed since.`,
      });
  };
  return (
    <Group justify="space-between">
      <Text size="xs">
        <Plural
          value={count}
          one="Choose the file again to go on; what was sent is not sent again."
          other="Choose the files again to go on; what was sent is not sent again."
        />
      </Text>
      <FileButton multiple onChange={choose}>
        {(props) => (
          <Button size="compact-xs" variant="default" {...props}>
            <Trans>Choose again</Trans>
          </Button>
        )}
      </FileButton>
    </Group>
  );
}
