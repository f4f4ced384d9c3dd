import { Plural, Trans } from "@lingui/react/macro";
import { Button, Group, Paper, Skeleton, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Project } from "../../api/types";
import type { ProjectCounts } from "../counts";
import { nextStep } from "./next";

/** One sentence that says what to do next, and one button that does it. */
export function NextStep({ project, counts }: { project: Project; counts: ProjectCounts | undefined }) {
  const next = nextStep(project, counts);
  if (!next) return <Skeleton height={76} radius="md" />;
  const base = `/projects/${project.id}`;
  const shown: Record<typeof next.step, [ReactNode, ReactNode, string]> = {
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
        one="Label # image more, and a first model is worth training."
        other="Label # images more, and a first model is worth training."
      />,
      <Trans key="b">Label images</Trans>,
      `${base}/label`,
    ],
    train: [
      <Trans key="t">There is enough to train a first model.</Trans>,
      <Trans key="b">Look at the images</Trans>,
      `${base}/images`,
    ],
    look: [
      <Trans key="t">Go on labelling: more and more varied images make the next model better.</Trans>,
      <Trans key="b">Label images</Trans>,
      `${base}/label`,
    ],
  };
  const [text, button, to] = shown[next.step];
  return (
    <Paper className="panel" p="lg" style={{ borderLeft: "4px solid var(--studio-selected)" }}>
      <Group justify="space-between">
        <Text fw={550}>{text}</Text>
        <Button component={Link} to={to}>
          {button}
        </Button>
      </Group>
    </Paper>
  );
}
