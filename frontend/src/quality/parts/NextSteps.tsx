import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { RunningWork } from "../../activity/RunningWork";
import { useRunning } from "../../activity/useRunning";
import type { Model } from "../../models/queries";
import { useDatasets, useLabels, useMayEdit } from "../../projects/queries";
import { refreshSuspects, searchSuspects, useSuspectSearches } from "../../review/suspects";
import { Problem } from "../../ui/Problem";
import { FEW } from "../figures";
import { FEW_TO_LEARN, type Step } from "../next";
import classes from "../Quality.module.css";
import { type Evaluation, refreshQuality, suggest } from "../queries";
import type { Behind } from "../search";
import { useNextSteps } from "../useNextSteps";

const SHOWN = 4;

interface Props {
  project: string;
  model: Model;
  evaluation: Evaluation;
  open: ((behind: Behind) => void) | undefined;
}

/** What would make it better, from what the studio has counted: one sentence and one button each. */
export function NextSteps({ project, model, evaluation, open }: Props) {
  const { t } = useLingui();
  const steps = useNextSteps(project, model, evaluation);
  const suspects = useRunning(project, "suspects", () => void refreshSuspects(project));
  const suggestions = useRunning(project, "suggestions", () => void refreshQuality(project, model.id));
  return (
    <Stack gap="sm" component="section" aria-labelledby="next-steps">
      <Title order={2} size="h4" id="next-steps">
        <Trans>What to do next</Trans>
      </Title>
      {!steps && <Skeleton height={120} />}
      {suspects && (
        <RunningWork entry={suspects} title={t`The model compares every label with what it sees.`} />
      )}
      {suggestions && (
        <RunningWork entry={suggestions} title={t`The model looks at every image without a label.`} />
      )}
      <ul className={classes.steps}>
        {steps
          ?.filter(({ kind }) => !(suspects && kind === "find-suspects"))
          .filter(({ kind }) => !(suggestions && kind === "find-suggestions"))
          .slice(0, SHOWN)
          .map((step) => (
            <li key={step.kind}>
              <StepRow project={project} model={model} step={step} open={open} />
            </li>
          ))}
      </ul>
    </Stack>
  );
}

function StepRow({ project, model, step, open }: Omit<Props, "evaluation"> & { step: Step }) {
  const [error, setError] = useState<unknown>(null);
  const { data: datasets = [] } = useDatasets(project);
  const { data: labels = [] } = useLabels(project);
  const { data: searches } = useSuspectSearches(project);
  const mayEdit = useMayEdit(project);
  const searched = searches?.find((search) => search.model === model.id)?.dataset ?? "";
  const dataset = datasets.find(({ id }) => id === model.dataset)?.id ?? datasets[0]?.id;
  const run = (work: (dataset: string) => Promise<void>) => {
    setError(null);
    if (dataset) void work(dataset).catch(setError);
  };
  const link = (to: string, text: ReactNode) => (
    <Button component={Link} to={`/projects/${project}${to}`} variant="default" size="compact-sm">
      {text}
    </Button>
  );
  const button = (act: () => void, text: ReactNode) => (
    <Button variant="default" size="compact-sm" onClick={act}>
      {text}
    </Button>
  );
  const images = (label: string) => {
    const found = labels.find(({ name }) => name === label);
    return `/images${found ? `?label=${encodeURIComponent(JSON.stringify([found.id]))}` : ""}`;
  };
  const [sentence, action] = ((): [ReactNode, ReactNode] => {
    switch (step.kind) {
      case "weak":
        return [
          <Trans key="t">It knows too little yet. Let it learn for longer, or from more images.</Trans>,
          mayEdit && link(`/trainings/new?base=${model.id}`, <Trans>Train it further</Trans>),
        ];
      case "suspects":
        return [
          <Plural
            key="t"
            value={step.count}
            one="# label looks wrong to this model."
            other="# labels look wrong to this model."
          />,
          link(`/review/suspects?model=${model.id}&dataset=${searched}`, <Trans>Look at them</Trans>),
        ];
      case "few":
        return [
          <Trans key="t">
            “{step.label}” has {step.images} images to learn from. Some {FEW_TO_LEARN} and more make it
            reliable.
          </Trans>,
          link("/label", <Trans>Label more</Trans>),
        ];
      case "confused":
        return [
          <Plural
            key="t"
            value={step.count}
            one={`“${step.label}” was taken for “${step.predicted}” once.`}
            other={`“${step.label}” was taken for “${step.predicted}” # times.`}
          />,
          open &&
            button(
              () => open({ outcome: "cell", label: step.label, predicted: step.predicted }),
              <Trans>See these images</Trans>,
            ),
        ];
      case "missed":
        return [
          <Plural
            key="t"
            value={step.count}
            one={`“${step.label}” was missed once.`}
            other={`“${step.label}” was missed # times.`}
          />,
          open && button(() => open({ outcome: "cell", label: step.label }), <Trans>See these images</Trans>),
        ];
      case "false-alarms":
        return [
          <Plural
            key="t"
            value={step.count}
            one={`“${step.label}” was seen once where none is.`}
            other={`“${step.label}” was seen # times where none is.`}
          />,
          open &&
            button(() => open({ outcome: "cell", predicted: step.label }), <Trans>See these images</Trans>),
        ];
      case "unmeasured":
        return [
          <Trans key="t">
            No test image shows {step.labels.slice(0, 3).join(", ")}: how good it is there is unknown.
          </Trans>,
          link("/import", <Trans>Add images</Trans>),
        ];
      case "scarce":
        return [
          <Trans key="t">
            “{step.label}” was measured {step.images} times. From {FEW} on its figures say something.
          </Trans>,
          link(images(step.label), <Trans>Its images</Trans>),
        ];
      case "find-suspects":
        return [
          <Trans key="t">
            Wrong labels teach wrong things. The model finds those that it believes least.
          </Trans>,
          mayEdit &&
            button(() => run((id) => searchSuspects(model.id, id)), <Trans>Look for wrong labels</Trans>),
        ];
      case "suggestions":
        return [
          <Trans key="t">Images with suggestions of this model wait for a review.</Trans>,
          link("/review", <Trans>Review them</Trans>),
        ];
      case "find-suggestions":
        return [
          <Trans key="t">
            Of the images without a label, some teach more than others. The model knows which.
          </Trans>,
          mayEdit && button(() => run(() => suggest(model.id, step.dataset)), <Trans>Find them</Trans>),
        ];
    }
  })();
  return (
    <>
      <Group justify="space-between" gap="xs">
        <Text size="sm" flex="1 1 220px">
          {sentence}
        </Text>
        <div style={{ flex: "none" }}>{action}</div>
      </Group>
      <Problem error={error} />
    </>
  );
}
