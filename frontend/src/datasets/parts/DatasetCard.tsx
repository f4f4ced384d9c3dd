import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Anchor, Button, Group, Paper, Stack, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asStudioError } from "../../api/errors";
import type { Dataset, Project } from "../../api/types";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { Icon } from "../../ui/Icon";
import { TrashNote } from "../../ui/TrashNote";
import { deleteDataset, exportDataset, takeSnapshot, useSnapshots } from "../queries";
import { DatasetSettings } from "./DatasetSettings";
import { ExportMenu, ExportState } from "./ExportMenu";
import { SnapshotRow } from "./SnapshotRow";

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
  const [isOpen, setIsOpen] = useState(false);
  const [job, setJob] = useState<string | null>(null);
  const attempt = (work: Promise<unknown>) =>
    void work.catch((problem) =>
      notifications.show({ color: "red", message: asStudioError(problem).message }),
    );
  return (
    <Paper className="panel" p="lg">
      <Stack gap="sm">
        <Group justify="space-between">
          <div>
            <Group gap={4}>
              <Title order={2} size="h4">
                {dataset.name}
              </Title>
              {mayEdit && (
                <>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={t`Settings of ${dataset.name}`}
                    onClick={() => setIsOpen(true)}
                  >
                    <Icon name="settings" size={17} />
                  </ActionIcon>
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
            <Anchor component={Link} to={`/projects/${project.id}/images?dataset=${dataset.id}`} size="sm">
              <Plural value={dataset.image_count} one="# image" other="# images" />
            </Anchor>
          </div>
          <Group gap={6}>
            {mayEdit && (
              <>
                <ExportMenu
                  task={project.task}
                  disabled={dataset.image_count === 0}
                  choose={(format) => attempt(exportDataset(dataset.id, format).then(({ id }) => setJob(id)))}
                />
                <Button
                  size="compact-md"
                  variant="default"
                  disabled={dataset.image_count === 0}
                  onClick={() => attempt(takeSnapshot(project.id, dataset.id))}
                >
                  <Trans>Take a snapshot</Trans>
                </Button>
              </>
            )}
          </Group>
        </Group>
        {job && <ExportState project={project.id} job={job} />}
        {snapshots?.map((snapshot) => (
          <SnapshotRow key={snapshot.id} project={project.id} snapshot={snapshot} />
        ))}
      </Stack>
      {isOpen && <DatasetSettings project={project.id} dataset={dataset} close={() => setIsOpen(false)} />}
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
