import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Group, Paper, Progress, Stack, Text, Title } from "@mantine/core";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { isInTheWay } from "../api/errors";
import { formatName } from "../datasets/formats";
import { useJob } from "../datasets/queries";
import { useDatasets, useMayEdit, useProject } from "../projects/queries";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { FolderLabels } from "./parts/FolderLabels";
import { LabelMapping } from "./parts/LabelMapping";
import { ReportLines } from "./parts/ReportLines";
import { Splits } from "./parts/Splits";
import { UndoImport } from "./parts/UndoImport";
import { importOf } from "./result";
import { settleJob } from "./uploads";

/** An import or its dry run: what is in it, which label becomes which, and what became of each file. */
export default function ImportJobPage() {
  const { t } = useLingui();
  const { project, job: id } = useParams({ from: "/shell/projects/$project/import/$job" });
  const { dataset } = useSearch({ from: "/shell/projects/$project/import/$job" });
  const { data: datasets } = useDatasets(project);
  const navigate = useNavigate();
  const mayEdit = useMayEdit(project);
  const isClassification = useProject(project).data?.task === "classification";
  const { data: job, error, refetch } = useJob(project, id);
  if (isInTheWay(error, job)) return <Problem error={error} retry={() => void refetch()} />;
  if (!job) return null;
  const target = dataset ?? job.dataset?.id ?? datasets?.[0]?.id;
  const result = importOf(job);
  const share = job.progress.total ? (100 * (job.progress.done ?? 0)) / job.progress.total : 0;
  const isBare = result !== null && result.images + result.labelled + result.duplicates + result.boxes === 0;
  const isOver = job.state !== "queued" && job.state !== "running";
  const follow = (next: string) => {
    settleJob(job.id);
    void navigate({
      to: "/projects/$project/import/$job",
      params: { project, job: next },
      search: { dataset: target },
    });
  };
  return (
    <Page width="md">
      <Stack gap="lg">
        <Title order={1} size="h2">
          {result?.dry_run ? <Trans>What is in the archive</Trans> : <Trans>Import</Trans>}
        </Title>
        {!isOver && (
          <Paper className="panel" p="lg">
            <Stack>
              <Text>
                {job.state === "queued" ? (
                  <Trans>It waits for its turn.</Trans>
                ) : (
                  <Trans>The files are being read…</Trans>
                )}
              </Text>
              <Progress value={share} animated aria-label={t`Read`} />
            </Stack>
          </Paper>
        )}
        {job.state === "failed" && <Problem error={new Error(job.error?.detail)} />}
        {result && (
          <Paper className="panel" p="lg">
            <Stack gap="xs">
              <Text fw={600}>
                <Plural value={result.images} one="# image" other="# images" />
                {" · "}
                <Plural value={result.labelled} one="# labelled" other="# labelled" />
                {result.boxes > 0 && (
                  <>
                    {" · "}
                    <Plural value={result.boxes} one="# box" other="# boxes" />
                  </>
                )}
              </Text>
              <Text size="sm" className="quiet">
                <Trans>Format: {formatName(result.format)}</Trans>
              </Text>
              {result.splits && <Splits {...result.splits} />}
              {result.duplicates > 0 && (
                <Text size="sm">
                  <Plural
                    value={result.duplicates}
                    one="# image is there already."
                    other="# images are there already."
                  />
                </Text>
              )}
              {result.rejected > 0 && (
                <Text size="sm" c="var(--studio-bad)">
                  <Plural
                    value={result.rejected}
                    one="# file cannot be taken."
                    other="# files cannot be taken."
                  />
                </Text>
              )}
              {result.to_review > 0 && (
                <Anchor component={Link} to={`/projects/${project}/review`} size="sm">
                  <Plural value={result.to_review} one="# image needs a look" other="# images need a look" />
                </Anchor>
              )}
            </Stack>
          </Paper>
        )}
        {result?.dry_run && isBare && (
          <Text>
            <Trans>
              Nothing in this file can be imported: no image, and no label of an image that is here.
            </Trans>
          </Text>
        )}
        {result?.dry_run && job.state === "succeeded" && target && !isBare && (
          <LabelMapping
            project={project}
            dataset={target}
            job={job}
            labels={result.labels}
            onStart={follow}
          />
        )}
        {result?.hasUnusedFolders && mayEdit && target && isClassification && (
          <FolderLabels dataset={target} job={job} onStart={follow} />
        )}
        {job.has_report && <ReportLines project={project} job={job.id} />}
        {isOver && !result?.dry_run && (
          <Group>
            <Button component={Link} to={`/projects/${project}/images`}>
              <Trans>To the images</Trans>
            </Button>
            {mayEdit && <UndoImport project={project} job={job} />}
          </Group>
        )}
      </Stack>
    </Page>
  );
}
