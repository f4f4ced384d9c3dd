import { Trans } from "@lingui/react/macro";
import { Button, Group, Paper, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { StudioError } from "../../api/errors";
import { Icon } from "../../ui/Icon";

/** What keeps the project from being trained on, by the code that the studio gives it, and the page that helps. */
const HELP: Record<string, "import" | "label" | "images"> = {
  no_dataset: "import",
  no_images: "import",
  no_labelled_images: "label",
  too_few_labels: "label",
  too_few_images: "label",
  label_without_images: "label",
  label_without_boxes: "label",
  no_boxes: "label",
  empty_split: "images",
};

export const isMissing = (error: StudioError | null) => error !== null && error.code in HELP;

/** Why there can be no training yet, in the studio's words, and one button to where it can be helped. */
export function Missing({ project, error }: { project: string; error: StudioError }) {
  const help = HELP[error.code] ?? "images";
  const words: Record<typeof help, ReactNode> = {
    import: <Trans>Add images</Trans>,
    label: <Trans>Label images</Trans>,
    images: <Trans>Look at the images</Trans>,
  };
  return (
    <Paper className="panel" p="lg" role="alert" style={{ borderLeft: "4px solid var(--studio-warn)" }}>
      <Group justify="space-between">
        <Group gap="sm" wrap="nowrap" flex={1} miw={220}>
          <span style={{ color: "var(--studio-warn)" }}>
            <Icon name="alert-triangle" />
          </span>
          <div>
            <Text fw={600}>
              <Trans>Something is missing before a model can learn.</Trans>
            </Text>
            <Text size="sm">{error.message}</Text>
          </div>
        </Group>
        <Button component={Link} to={`/projects/${project}/${help}`}>
          {words[help]}
        </Button>
      </Group>
    </Paper>
  );
}
