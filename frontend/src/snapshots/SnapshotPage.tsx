import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Group, Loader, Paper, Select, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { asStudioError, isInTheWay } from "../api/errors";
import { ErrorPage } from "../app/ErrorPage";
import { ExportMenu, ExportState } from "../datasets/parts/ExportMenu";
import { useModels } from "../models/queries";
import { useMayEdit, useProject } from "../projects/queries";
import { Page } from "../ui/Page";
import { usePageNavigate } from "../ui/usePageNavigate";
import { About } from "./parts/About";
import { ComparisonView } from "./parts/ComparisonView";
import { CountsTable } from "./parts/CountsTable";
import { ImageTiles } from "./parts/ImageTiles";
import { exportSnapshot, useProjectSnapshots, useSnapshot, useSnapshotImages } from "./queries";
import type { SplitName } from "./search";

/** What a snapshot holds, which models were trained on it, and what changed since another one. */
export default function SnapshotPage() {
  const { t } = useLingui();
  const { project, snapshot: id } = useParams({ from: "/shell/projects/$project/snapshots/$snapshot" });
  const search = useSearch({ from: "/shell/projects/$project/snapshots/$snapshot" });
  const navigate = usePageNavigate({ from: "/projects/$project/snapshots/$snapshot" });
  const { data: own } = useProject(project);
  const { data, error } = useSnapshot(project, id);
  const { data: all } = useProjectSnapshots(project);
  const mayEdit = useMayEdit(project);
  const [job, setJob] = useState<string | null>(null);
  const pages = useSnapshotImages(project, id, search, !search.with && data?.has_images !== false);
  if (isInTheWay(error, data)) return <ErrorPage error={error} reset={() => undefined} />;
  if (!data)
    return (
      <Center mih="60vh">
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: { ...search, ...next }, replace: true, resetScroll: false });
  const others = all?.filter((one) => one.id !== id && one.has_images) ?? [];
  const splits: [SplitName | undefined, string][] = [
    [undefined, t`All`],
    ["train", t`Train`],
    ["validation", t`Validation`],
    ["test", t`Test`],
  ];
  const write = (format: string) =>
    void exportSnapshot(id, format)
      .then(({ id: made }) => setJob(made))
      .catch((problem) => notifications.show({ color: "red", message: asStudioError(problem).message }));
  return (
    <Page>
      <Stack gap="lg">
        <Group justify="space-between" align="flex-start">
          <About project={project} snapshot={data} mayEdit={mayEdit} />
          {data.has_images && own && (
            <Group gap="xs">
              {others.length > 0 && (
                <Select
                  aria-label={t`Compare with`}
                  placeholder={t`Compare with…`}
                  clearable
                  clearButtonProps={{ "aria-label": t`End the comparison` }}
                  data={others.map(({ id: value, title }) => ({ value, label: title }))}
                  value={search.with ?? null}
                  onChange={(value) => change({ with: value ?? undefined, difference: undefined })}
                />
              )}
              {mayEdit && <ExportMenu task={own.task} disabled={false} choose={write} />}
            </Group>
          )}
        </Group>
        {job && <ExportState project={project} job={job} />}
        {!data.has_images && (
          <Text size="sm" c="var(--studio-warn)" role="status">
            <Trans>Its dataset was deleted with the images: only the figures are left.</Trans>
          </Text>
        )}
        {search.with ? (
          <ComparisonView
            project={project}
            snapshot={id}
            other={search.with}
            difference={search.difference}
            choose={(difference) => change({ difference })}
          />
        ) : (
          <>
            <Paper className="panel" p="md">
              <CountsTable project={project} snapshot={data} />
            </Paper>
            <TrainedOn project={project} snapshot={id} />
            {data.has_images && (
              <>
                <Group gap={6} role="group" aria-label={t`Split`}>
                  {splits.map(([split, name]) => (
                    <Button
                      key={name}
                      size="compact-sm"
                      variant={search.split === split ? "filled" : "default"}
                      aria-pressed={search.split === split}
                      onClick={() => change({ split })}
                    >
                      {name}
                    </Button>
                  ))}
                  {search.label && (
                    <Button
                      size="compact-sm"
                      variant="subtle"
                      onClick={() => change({ label: undefined })}
                      aria-label={t`Show all labels`}
                    >
                      {search.label} ×
                    </Button>
                  )}
                </Group>
                <ImageTiles project={project} pages={pages} empty={t`No image of this kind`} />
              </>
            )}
          </>
        )}
      </Stack>
    </Page>
  );
}

function TrainedOn({ project, snapshot }: { project: string; snapshot: string }) {
  const { data } = useModels(project, snapshot);
  if (!data) return null;
  return (
    <div>
      <Title order={2} size="h4">
        <Trans>Models</Trans>
      </Title>
      {data.length === 0 ? (
        <Text size="sm" className="quiet">
          <Trans>No model was trained on it yet.</Trans>
        </Text>
      ) : (
        <Text size="sm">
          <Plural
            value={data.length}
            one="One model was trained on it:"
            other="# models were trained on it:"
          />{" "}
          {data.map(({ name, version }) => `${name} v${version}`).join(", ")}
        </Text>
      )}
    </div>
  );
}
