import { Plural, Trans, useLingui } from "@lingui/react/macro";
import {
  Alert,
  Anchor,
  Button,
  Checkbox,
  Group,
  MultiSelect,
  Paper,
  Select,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Box } from "../../models/parts/Answer";
import type { Model, Prediction } from "../../models/queries";
import { useDatasets, useLabels } from "../../projects/queries";
import { formatPercent } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import { saveImage } from "../queries";

interface Props {
  project: string;
  model: Pick<Model, "task">;
  file: File;
  prediction: Prediction;
  /** Told of the box whose tick is pointed at or has the focus. */
  onPoint: (box: Box | null) => void;
}

/** Puts the image into a dataset with its right label, so that the next model learns it. */
export function Save({ project, model, file, prediction, onPoint }: Props) {
  const { t, i18n } = useLingui();
  const { data: datasets = [] } = useDatasets(project);
  const { data: labels = [] } = useLabels(project);
  const known = new Set(labels.map(({ name }) => name));
  const [dataset, setDataset] = useState<string | null>(null);
  const [label, setLabel] = useState<string | null>(null);
  const [wrong, setWrong] = useState<ReadonlySet<number>>(new Set());
  const isDetection = model.task === "detection";
  const hasSeveral = model.task === "multilabel";
  const [several, setSeveral] = useState<string[] | null>(null);
  const present = prediction.labels.filter((one) => one.is_present && known.has(one.label));
  const all = several ?? present.map((one) => one.label);
  const target = dataset ?? datasets[0]?.id;
  const guess = prediction.labels.find((one) => known.has(one.label))?.label ?? null;
  const boxes = prediction.boxes.filter((one) => known.has(one.label));
  const right = boxes.filter((_, place) => !wrong.has(place));
  const {
    mutate,
    data: saved,
    error,
    isPending,
  } = useMutation({
    mutationFn: (into: string) =>
      saveImage(
        project,
        into,
        file,
        isDetection
          ? { label: null, boxes: right }
          : hasSeveral
            ? { label: null, boxes: [], labels: all }
            : { label: label ?? guess, boxes: [] },
      ),
  });
  return (
    <Paper className="panel" p="md" component="section" aria-label={t`Keep the image`}>
      <Stack gap="sm">
        <Title order={2} size="h4">
          <Trans>Keep the image</Trans>
        </Title>
        <Text size="sm" className="quiet">
          <Trans>Where the model is wrong it learns most: keep the image with what is really on it.</Trans>
        </Text>
        {hasSeveral && (
          <MultiSelect
            label={t`What is on it`}
            searchable
            data={labels.map(({ name }) => name)}
            value={all}
            onChange={setSeveral}
          />
        )}
        {!isDetection && !hasSeveral && (
          <Select
            label={t`What it is`}
            searchable
            data={labels.map(({ name }) => name)}
            value={label ?? guess}
            onChange={setLabel}
            allowDeselect={false}
          />
        )}
        {isDetection && boxes.length > 0 && (
          // All of them: none is kept that one cannot leave out.
          <Stack gap={4} mah={360} style={{ overflowY: "auto" }}>
            {boxes.map((one, place) => (
              <Checkbox
                key={`${one.label}-${place}`}
                label={`${one.label} ${formatPercent(one.score, i18n.locale)}`}
                checked={!wrong.has(place)}
                wrapperProps={{ onPointerEnter: () => onPoint(one), onPointerLeave: () => onPoint(null) }}
                onFocus={() => onPoint(one)}
                onBlur={() => onPoint(null)}
                onChange={({ currentTarget }) => setWrong(toggled(wrong, place, !currentTarget.checked))}
              />
            ))}
          </Stack>
        )}
        {datasets.length > 1 && (
          <Select
            label={t`Dataset`}
            data={datasets.map(({ id, name }) => ({ value: id, label: name }))}
            value={target ?? null}
            onChange={setDataset}
            allowDeselect={false}
          />
        )}
        <Problem error={error} />
        {saved ? (
          <Alert color="green" variant="light" role="status">
            <Trans>It is in the dataset.</Trans>{" "}
            <Anchor component={Link} to={`/projects/${project}/images/${saved}`} size="sm">
              {isDetection ? <Trans>Correct its boxes</Trans> : <Trans>Show it</Trans>}
            </Anchor>
          </Alert>
        ) : (
          <Group>
            <Button loading={isPending} disabled={!target} onClick={() => target && mutate(target)}>
              {isDetection ? (
                <Plural
                  value={right.length}
                  _0="Keep it without boxes"
                  one="Keep it with # box"
                  other="Keep it with # boxes"
                />
              ) : (
                <Trans>Keep it</Trans>
              )}
            </Button>
          </Group>
        )}
      </Stack>
    </Paper>
  );
}

function toggled(places: ReadonlySet<number>, place: number, isIn: boolean): ReadonlySet<number> {
  const next = new Set(places);
  if (isIn) next.add(place);
  else next.delete(place);
  return next;
}
