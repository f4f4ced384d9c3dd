import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Paper, SegmentedControl, Skeleton, Stack, Title } from "@mantine/core";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { isInTheWay } from "../api/errors";
import { useTakesDrops } from "../imports/dropTaker";
import { type Model, useModel, useModels } from "../models/queries";
import { useMayEdit } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { usePageNavigate } from "../ui/usePageNavigate";
import { Chooser } from "./parts/Chooser";
import { ModelPicker } from "./parts/ModelPicker";
import { Side } from "./parts/Side";
import { Snippets } from "./parts/Snippets";
import { Threshold } from "./parts/Threshold";
import { Webcam } from "./parts/Webcam";
import { modelsOf } from "./search";
import classes from "./Try.module.css";

/** Any image, or the camera, before one model or several. Nothing is kept unless one says so. */
export default function TryPage() {
  const { t } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project/try" });
  const search = useSearch({ from: "/shell/projects/$project/try" });
  const navigate = usePageNavigate({ from: "/projects/$project/try" });
  const { data: models, error, refetch } = useModels(project);
  const mayEdit = useMayEdit(project);
  const named = modelsOf(search.model);
  const chosen = named.length > 0 ? named : models?.[0] ? [models[0].id] : [];
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: { ...search, ...next }, replace: true, resetScroll: false });
  return (
    <Page>
      <Stack gap="lg">
        <Title order={1} size="h2">
          <Trans>Try</Trans>
        </Title>
        <Problem error={error} retry={() => void refetch()} />
        {!models && !error && <Skeleton height={300} radius="md" />}
        {models?.length === 0 && (
          <EmptyState
            icon="brain"
            title={<Trans>No model to try yet</Trans>}
            action={
              mayEdit && (
                <Button component={Link} to={`/projects/${project}/trainings/new`}>
                  <Trans>Train a model</Trans>
                </Button>
              )
            }
          >
            <Trans>A training makes a model out of your labelled images.</Trans>
          </EmptyState>
        )}
        {models && chosen.length > 0 && (
          <>
            <Paper className="panel" p="md">
              <div className={classes.choices}>
                <ModelPicker
                  models={models}
                  chosen={chosen}
                  onChange={(ids) => change({ model: ids.join() || undefined })}
                />
                <SegmentedControl
                  aria-label={t`What they look at`}
                  value={search.camera ? "camera" : "image"}
                  onChange={(value) => change({ camera: value === "camera" || undefined })}
                  data={[
                    { value: "image", label: t`Image` },
                    { value: "camera", label: t`Camera` },
                  ]}
                />
              </div>
            </Paper>
            <Tried
              key={chosen[0]}
              project={project}
              ids={chosen}
              mayEdit={mayEdit}
              isCamera={search.camera === true}
              leaveCamera={() => change({ camera: undefined })}
            />
          </>
        )}
      </Stack>
    </Page>
  );
}

interface TriedProps {
  project: string;
  ids: string[];
  mayEdit: boolean;
  isCamera: boolean;
  leaveCamera: () => void;
}

function Tried({ project, ids, mayEdit, isCamera, leaveCamera }: TriedProps) {
  const { t } = useLingui();
  const { data: first, error } = useModel(project, ids[0] ?? null);
  const [file, setFile] = useState<File | null>(null);
  const [threshold, setThreshold] = useState<number | null>(null);
  const take = useCallback(
    (files: File[]) => {
      if (!files[0]) return;
      setFile(files[0]);
      if (isCamera) leaveCamera();
    },
    [isCamera, leaveCamera],
  );
  useTakesDrops(t`Drop an image to try the models on it`, take);
  if (isInTheWay(error, first)) return <Problem error={error} />;
  if (!first) return <Skeleton height={300} radius="md" />;
  const usual = usualOf(first);
  return (
    <>
      {!isCamera && <Chooser file={file} take={take} />}
      {(file || isCamera) && <Threshold value={threshold} usual={usual} onChange={setThreshold} />}
      {isCamera && <Webcam project={project} ids={ids} threshold={threshold} take={(shot) => take([shot])} />}
      {!isCamera && file && (
        <div className={classes.sides}>
          {ids.map((id, place) => (
            <Side
              key={id}
              project={project}
              id={id}
              file={file}
              threshold={threshold}
              canKeep={mayEdit && place === 0}
            />
          ))}
        </div>
      )}
      <Snippets
        call={{
          origin: location.origin,
          model: first.id,
          filename: file?.name ?? "photograph.jpg",
          threshold,
        }}
      />
    </>
  );
}

function usualOf({ detector, score_threshold: own }: Pick<Model, "detector" | "score_threshold">): number {
  return detector?.score_threshold ?? own ?? 0;
}
