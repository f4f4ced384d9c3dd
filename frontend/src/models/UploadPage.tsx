import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Paper, Progress, Stack, Text, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useRef, useState } from "react";
import type { Job, Task } from "../api/types";
import { useLabels, useMayEdit, useProject } from "../projects/queries";
import { useJob } from "../quality/queries";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { refreshModels } from "./files";
import { Preview } from "./parts/Preview";
import { UploadForm } from "./parts/UploadForm";
import { guessedLabels, type Said, uploadModel } from "./upload";

/** A model from elsewhere: its file, what one knows about it, and what it then says of the project's images. */
export default function UploadPage() {
  const { project: id } = useParams({ from: "/shell/projects/$project/models/upload" });
  const { data: project } = useProject(id);
  const { data: labels } = useLabels(id);
  const mayEdit = useMayEdit(id);
  return (
    <Page>
      <Stack gap="lg">
        <div>
          <Anchor component={Link} to={`/projects/${id}/models`} size="sm">
            <Trans>All models</Trans>
          </Anchor>
          <Title order={1} size="h2" mt={4}>
            <Trans>Add a model from elsewhere</Trans>
          </Title>
        </div>
        {project && !mayEdit && (
          <Text>
            <Trans>You may look at this project and not change it. Ask one of its owners.</Trans>
          </Text>
        )}
        {project && labels && mayEdit && (
          <Steps project={id} task={project.task} labels={guessedLabels(labels.map(({ name }) => name))} />
        )}
      </Stack>
    </Page>
  );
}

function Steps({ project, task, labels }: { project: string; task: Task; labels: string }) {
  const { t } = useLingui();
  const [file, setFile] = useState<File | null>(null);
  const [said, setSaid] = useState<Said>({
    name: "",
    labels,
    width: "",
    height: "",
    channels: "rgb",
    scaling: "0_255",
    resize: "stretch",
    anchors: "",
  });
  const [sent, setSent] = useState<number | null>(null);
  const stopping = useRef<AbortController | null>(null);
  const [id, setId] = useState<string | null>(null);
  const { data: job, error } = useJob(id);
  const made = modelOf(job);
  if (made && job)
    return (
      <Preview
        project={project}
        model={made}
        again={() => {
          setId(null);
          void refreshModels(project);
        }}
      />
    );
  if (id && (!job || job.state === "queued" || job.state === "running"))
    return (
      <Paper className="panel" p="lg" role="status">
        <Stack>
          <Problem error={error} />
          <Text fw={600}>
            <Trans>The model is read and checked…</Trans>
          </Text>
          <Text size="sm" className="quiet">
            <Trans>
              It is turned into the studio's own format, and both are compared on your images. This takes a
              minute or two; you may leave this page, the model is then among the others.
            </Trans>
          </Text>
          <Progress value={100} animated aria-label={t`The model is read`} />
        </Stack>
      </Paper>
    );
  return (
    <UploadForm
      task={task}
      file={file}
      onFile={setFile}
      said={said}
      sent={sent}
      stop={() => stopping.current?.abort()}
      failed={job?.state === "failed" || job?.state === "cancelled" ? (job.error?.detail ?? job.state) : null}
      send={async (values) => {
        if (!file) return;
        stopping.current = new AbortController();
        const { signal } = stopping.current;
        setSaid(values);
        setSent(0);
        try {
          setId(await uploadModel(project, task, file, values, { onProgress: setSent, signal }));
        } catch (error) {
          if (!signal.aborted) throw error;
        } finally {
          setSent(null);
        }
      }}
    />
  );
}

function modelOf(job: Job | undefined): string | null {
  return job?.result?.kind === "model_import" ? (job.result.model ?? null) : null;
}
