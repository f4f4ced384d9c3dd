import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, FileButton, Group, Loader, Paper, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { useTakesDrops } from "../../imports/dropTaker";
import { useShortcut } from "../../keyboard/useShortcut";
import { Icon } from "../../ui/Icon";
import { Problem } from "../../ui/Problem";
import { type Model, predict } from "../queries";
import { Answer } from "./Answer";
import { IMAGE_TYPES, useAddress } from "./imageFile";
import classes from "./TryPanel.module.css";

/** Drop, paste or choose an image anywhere on the page, and see what the model says. Nothing is kept of it. */
export function TryPanel({ project, model }: { project: string; model: Model }) {
  const { t } = useLingui();
  const [file, setFile] = useState<File | null>(null);
  const address = useAddress(file);
  const { mutate, data, error, isPending } = useMutation({
    mutationFn: (chosen: File) => predict(model.id, chosen, null),
  });
  const take = useCallback(
    (files: File[]) => {
      const [first] = files;
      if (!first) return;
      setFile(first);
      mutate(first);
    },
    [mutate],
  );
  useTakesDrops(t`Drop an image to try the model on it`, take);
  const [opener, setOpener] = useState<HTMLButtonElement | null>(null);
  useShortcut({
    id: "model.try",
    scope: t`Model`,
    title: t`Choose an image to try`,
    keys: "O",
    run: () => opener?.click(),
  });
  const [prediction] = data?.predictions ?? [];
  const [rejected] = data?.rejected ?? [];
  const choose = (text: string) => (
    <FileButton onChange={(chosen) => chosen && take([chosen])} accept={IMAGE_TYPES}>
      {(props) => (
        <Button
          {...props}
          ref={setOpener}
          variant={file ? "default" : "filled"}
          leftSection={<Icon name="photo-plus" />}
        >
          {text}
        </Button>
      )}
    </FileButton>
  );
  return (
    <Paper className="panel" p="lg" component="section" aria-label={t`Try the model`}>
      <Stack>
        <Group justify="space-between">
          <Title order={2} size="h4">
            <Trans>Try it</Trans>
          </Title>
          <Group gap="sm">
            <Anchor
              size="sm"
              renderRoot={(props) => (
                <Link
                  to="/projects/$project/try"
                  params={{ project }}
                  search={{ model: model.id }}
                  {...props}
                />
              )}
            >
              <Trans>With the camera, or beside other models</Trans>
            </Anchor>
            {file && choose(t`Another image`)}
          </Group>
        </Group>
        {!file && (
          <div className={classes.zone}>
            <span className="quiet">
              <Icon name="photo" size={40} />
            </span>
            <Text>
              <Trans>Drag an image onto this page, paste one, or choose one.</Trans>
            </Text>
            {choose(t`Choose an image`)}
            <Text size="xs" className="quiet">
              <Trans>It is not kept.</Trans>
            </Text>
          </div>
        )}
        <Problem error={error} retry={() => file && mutate(file)} />
        {rejected && <Problem error={new Error(rejected.detail)} />}
        {isPending && (
          <Group gap="sm" role="status">
            <Loader size="sm" />
            <Text size="sm">
              <Trans>The model looks at the image…</Trans>
            </Text>
          </Group>
        )}
        {prediction && data && !isPending && (
          <Answer
            project={project}
            task={model.task}
            prediction={prediction}
            address={address}
            milliseconds={data.timing_ms}
          />
        )}
      </Stack>
    </Paper>
  );
}
