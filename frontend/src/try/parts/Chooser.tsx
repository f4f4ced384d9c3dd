import { Trans, useLingui } from "@lingui/react/macro";
import { Button, FileButton, Group, Paper, Text } from "@mantine/core";
import { useState } from "react";
import { useShortcut } from "../../keyboard/useShortcut";
import { IMAGE_TYPES } from "../../models/parts/imageFile";
import { Icon } from "../../ui/Icon";
import classes from "../Try.module.css";

/** Asks for an image: a file, what is dropped or pasted, or a photograph of a phone. */
export function Chooser({ file, take }: { file: File | null; take: (files: File[]) => void }) {
  const { t } = useLingui();
  const [opener, setOpener] = useState<HTMLButtonElement | null>(null);
  useShortcut({
    id: "try.choose",
    scope: t`Try`,
    title: t`Choose an image to try`,
    keys: "O",
    run: () => opener?.click(),
  });
  const buttons = (
    <Group gap="sm" justify="center">
      <FileButton onChange={(chosen) => chosen && take([chosen])} accept={IMAGE_TYPES}>
        {(props) => (
          <Button
            {...props}
            ref={setOpener}
            variant={file ? "default" : "filled"}
            leftSection={<Icon name="photo-plus" />}
          >
            {file ? t`Another image` : t`Choose an image`}
          </Button>
        )}
      </FileButton>
      <FileButton onChange={(chosen) => chosen && take([chosen])} accept="image/*" capture="environment">
        {(props) => (
          <Button {...props} variant="default" leftSection={<Icon name="camera" />}>
            <Trans>Take a photograph</Trans>
          </Button>
        )}
      </FileButton>
    </Group>
  );
  if (file)
    return (
      <Group justify="space-between" gap="sm">
        <Text size="sm" truncate>
          {file.name}
        </Text>
        {buttons}
      </Group>
    );
  return (
    <Paper className="panel" p="md">
      <div className={classes.zone}>
        <span className="quiet">
          <Icon name="photo" size={40} />
        </span>
        <Text>
          <Trans>Drag an image onto this page, paste one, or choose one.</Trans>
        </Text>
        {buttons}
        <Text size="xs" className="quiet">
          <Trans>It is not kept unless you say so.</Trans>
        </Text>
      </div>
    </Paper>
  );
}
