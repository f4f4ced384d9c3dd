import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group, Loader, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { isInTheWay } from "../../api/errors";
import type { StudioImage } from "../../api/types";
import { Icon } from "../../ui/Icon";
import { Problem } from "../../ui/Problem";
import { deleteModel } from "../files";
import { type Model, useModel } from "../queries";
import { labelsOf, usePreview, usePreviewImages } from "../upload";
import { Answer } from "./Answer";
import classes from "./Preview.module.css";

interface Props {
  project: string;
  model: string;
  /** Back to what was said of it. */
  again: () => void;
}

/** What a model from elsewhere says of images that one knows: wrong colours or labels show here at once. */
export function Preview({ project, model: id, again }: Props) {
  const { data: model, error } = useModel(project, id);
  const { data: images, error: problem } = usePreviewImages(project);
  if (isInTheWay(error, model) || isInTheWay(problem, images)) return <Problem error={error ?? problem} />;
  if (!model || !images) return <Skeleton height={320} radius="md" />;
  return (
    <Stack gap="lg">
      <Verdict project={project} model={model} again={again} />
      {images.length === 0 ? (
        <Text>
          <Trans>The project has no images to try it on. Drop some onto the model's page.</Trans>
        </Text>
      ) : (
        <ul className={classes.list}>
          {images.map((image) => (
            <li key={image.id}>
              <Tried project={project} model={model} image={image} />
            </li>
          ))}
        </ul>
      )}
    </Stack>
  );
}

function Verdict({ project, model, again }: { project: string; model: Model; again: () => void }) {
  const { t } = useLingui();
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const name = `${model.name} v${model.version}`;
  const discard = () => {
    setIsBusy(true);
    deleteModel(project, t`Delete ${name}`, model.id)
      .then(again, setProblem)
      .finally(() => setIsBusy(false));
  };
  return (
    <Paper className="panel" p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          <Trans>{name} is here. Is it right?</Trans>
        </Title>
        <Text>
          <Trans>
            Look at what it says of these images. If it is wrong nearly everywhere, the order of the labels or
            what it was trained on was most likely given wrongly.
          </Trans>
        </Text>
        <Problem error={problem} />
        <Group>
          <Button component={Link} to={`/projects/${project}/models/${model.id}`}>
            <Trans>It is right: to the model</Trans>
          </Button>
          <Button variant="default" loading={isBusy} onClick={discard}>
            <Trans>Change what I said, and try again</Trans>
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}

function Tried({ project, model, image }: { project: string; model: Model; image: StudioImage }) {
  const { data: prediction, error, refetch } = usePreview(model, image);
  return (
    <Paper className="panel" p="md">
      {error && <Problem error={error} retry={() => void refetch()} />}
      {!prediction && !error && (
        <Group gap="sm" role="status">
          <Loader size="sm" />
          <Text size="sm">
            <Trans>The model looks at {image.filename}…</Trans>
          </Text>
        </Group>
      )}
      {prediction && (
        <Stack gap="xs">
          <Answer project={project} task={model.task} prediction={prediction} address={image.file_url} />
          {model.task === "classification" ? (
            <Compared image={image} found={prediction.labels[0]?.label} />
          ) : model.task === "multilabel" ? null : (
            <Text size="sm" className="quiet">
              <Plural
                value={image.annotations.filter(({ box, confirmed }) => box && confirmed).length}
                one="# box is drawn on it."
                other="# boxes are drawn on it."
              />
            </Text>
          )}
        </Stack>
      )}
    </Paper>
  );
}

/** Whether it says what a person has said. */
function Compared({ image, found }: { image: StudioImage; found: string | undefined }) {
  const labels = labelsOf(image);
  if (labels.length === 0) return null;
  const isSame = found !== undefined && labels.includes(found);
  return (
    <Alert
      variant="light"
      color={isSame ? "green" : "yellow"}
      icon={<Icon name={isSame ? "check" : "alert-triangle"} />}
      p="xs"
    >
      {isSame ? <Trans>As it is labelled.</Trans> : <Trans>It is labelled {labels.join(", ")}.</Trans>}
    </Alert>
  );
}
