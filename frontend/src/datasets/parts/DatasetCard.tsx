import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Anchor, Button, Group, Menu, Paper, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asStudioError } from "../../api/errors";
import type { Dataset, Project } from "../../api/types";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { Icon } from "../../ui/Icon";
import { TrashNote } from "../../ui/TrashNote";
import { deleteDataset, exportDataset, takeSnapshot, useJob, useSnapshots } from "../queries";
import { SnapshotRow } from "./SnapshotRow";

const FORMATS = {
  classification: ["folder", "csv", "label_studio", "datumaro"],
  detection: ["coco", "voc", "yolo", "csv", "createml", "label_studio", "datumaro"],
};
const NAMES: Record<string, string> = {
  coco: "COCO",
  voc: "Pascal VOC",
  yolo: "YOLO",
  csv: "CSV",
  createml: "CreateML",
  label_studio: "Label Studio",
  datumaro: "Datumaro",
};

export function DatasetCard({
  project,
  dataset,
  mayEdit,
}: {
  project: Project;
  dataset: Dataset;
  mayEdit: boolean;
}) {
  const { t } = useLingui();
  const { data: snapshots } = useSnapshots(project.id, dataset.id);
  const [isDeleting, setIsDeleting] = useState(false);
  const [job, setJob] = useState<string | null>(null);
  const attempt = (work: Promise<unknown>) =>
    void work.catch((problem) =>
      notifications.show({ color: "red", message: asStudioError(problem).message }),
    );
  return (
    <Paper className="panel" p="lg">
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap">
          <div>
            <Title order={2} size="h4">
              {dataset.name}
            </Title>
            <Anchor component={Link} to={`/projects/${project.id}/images?dataset=${dataset.id}`} size="sm">
              <Plural value={dataset.image_count} one="# image" other="# images" />
            </Anchor>
          </div>
          <Group gap="xs">
            <Menu position="bottom-end">
              <Menu.Target>
                <Button
                  size="compact-md"
                  variant="default"
                  leftSection={<Icon name="download" size={16} />}
                  disabled={dataset.image_count === 0}
                >
                  <Trans>Export</Trans>
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {FORMATS[project.task ?? "classification"].map((format) => (
                  <Menu.Item
                    key={format}
                    onClick={() => attempt(exportDataset(dataset.id, format).then(({ id }) => setJob(id)))}
                  >
                    {format === "folder" ? t`Folders by label` : NAMES[format]}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
            {mayEdit && (
              <>
                <Button
                  size="compact-md"
                  variant="default"
                  disabled={dataset.image_count === 0}
                  onClick={() => attempt(takeSnapshot(project.id, dataset.id))}
                >
                  <Trans>Take a snapshot</Trans>
                </Button>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t`Delete the dataset ${dataset.name}`}
                  onClick={() => setIsDeleting(true)}
                >
                  <Icon name="trash" size={17} />
                </ActionIcon>
              </>
            )}
          </Group>
        </Group>
        {job && <ExportState project={project.id} job={job} />}
        {snapshots?.map((snapshot) => (
          <SnapshotRow key={snapshot.id} snapshot={snapshot} />
        ))}
      </Stack>
      <ConfirmDelete
        opened={isDeleting}
        close={() => setIsDeleting(false)}
        title={t`Delete the dataset ${dataset.name}?`}
        name={dataset.image_count > 0 ? dataset.name : undefined}
        confirm={() => deleteDataset(project.id, dataset)}
      >
        <Plural value={dataset.image_count} one="Its image goes with it." other="Its # images go with it." />{" "}
        <TrashNote />
      </ConfirmDelete>
    </Paper>
  );
}

function ExportState({ project, job }: { project: string; job: string }) {
  const { data } = useJob(project, job);
  if (!data) return null;
  if (data.state === "failed")
    return (
      <Text size="sm" c="var(--studio-bad)">
        {data.error?.detail}
      </Text>
    );
  if (data.state !== "succeeded")
    return (
      <Text size="sm" className="quiet">
        <Trans>The archive is being written…</Trans>
      </Text>
    );
  return (
    <Anchor href={`/api/v1/jobs/${job}/file/`} download size="sm">
      <Trans>Download the archive</Trans>
    </Anchor>
  );
}
