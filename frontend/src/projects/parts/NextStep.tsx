import { Plural, Trans } from "@lingui/react/macro";
import { Button, Group, Paper, Skeleton, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { isRunning, useActivity } from "../../activity/queries";
import type { Project } from "../../api/types";
import { useSureGuesses } from "../../live/queries";
import { useModels } from "../../models/queries";
import type { ProjectCounts } from "../counts";
import { useLabels } from "../queries";
import { type Meanwhile, nextStep } from "./next";

/** One sentence that says what to do next, and one button that does it. */
export function NextStep({ project, counts }: { project: Project; counts: ProjectCounts | undefined }) {
  const next = nextStep(project, counts, useMeanwhile(project));
  // Each confirmed guess is a label less to give.
  const isLabelling = next?.step === "label" && project.task !== "detection";
  const { data: labels } = useLabels(project.id);
  const sure = useSureGuesses(project.id, labels?.length ?? 0, isLabelling && labels !== undefined);
  if (!next) return <Skeleton height={76} radius="md" />;
  const base = `/projects/${project.id}`;
  const shown: Record<typeof next.step, [ReactNode, ReactNode?, string?]> = {
    add: [
      <Trans key="t">Add your first images. Some 20 of each kind are enough to begin.</Trans>,
      <Trans key="b">Add images</Trans>,
      `${base}/import`,
    ],
    "name-labels": [
      <Trans key="t">Name what the model should tell apart.</Trans>,
      <Trans key="b">Add labels</Trans>,
      `${base}/labels`,
    ],
    label: [
      <Plural
        key="t"
        value={"missing" in next ? next.missing : 0}
        one="Label # more image, and a first model is worth training."
        other="Label # more images, and a first model is worth training."
      />,
      <Trans key="b">Label images</Trans>,
      `${base}/label`,
    ],
    arrive: [<Trans key="t">Images are arriving. In a moment there is enough to go on.</Trans>],
    train: [
      <Trans key="t">There is enough to train a first model.</Trans>,
      <Trans key="b">Train a model</Trans>,
      `${base}/trainings/new`,
    ],
    watch: [
      <Trans key="t">A model is being trained.</Trans>,
      <Trans key="b">Watch it learn</Trans>,
      `${base}/trainings/${"training" in next ? next.training : ""}`,
    ],
    try: [
      <Trans key="t">
        Try your model on new images. More and more varied labels make the next one better.
      </Trans>,
      <Trans key="b">Try the model</Trans>,
      "model" in next && next.model ? `${base}/models/${next.model}` : `${base}/models`,
    ],
  };
  const [text, button, to] = shown[next.step];
  return (
    <Paper className="panel" p="lg" style={{ borderLeft: "4px solid var(--studio-selected)" }}>
      <Group justify="space-between">
        <Text fw={550} flex={1} miw={200}>
          {text}
        </Text>
        <Group gap="xs">
          {sure > 0 && (
            <Button component={Link} to={`/projects/${project.id}/review/live?min=90`} variant="default">
              <Plural value={sure} one="Confirm # guess" other="Confirm # guesses" />
            </Button>
          )}
          {to && (
            <Button component={Link} to={to}>
              {button}
            </Button>
          )}
        </Group>
      </Group>
    </Paper>
  );
}

const ARRIVING = new Set(["samples", "import", "custom_vision_import"]);

function useMeanwhile(project: Project): Meanwhile {
  const { data: activity = [] } = useActivity(project.id);
  const { data: models } = useModels(project.id);
  const running = activity.filter(isRunning);
  return {
    isArriving: running.some(({ kind }) => ARRIVING.has(kind)),
    training: running.find(({ kind }) => kind === "training")?.id ?? null,
    model: models?.[0]?.id ?? null,
  };
}
