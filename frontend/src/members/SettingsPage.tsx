import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "../account/useForm";
import type { Project } from "../api/types";
import { tellDone } from "../history/tell";
import { restoreProject, useDeleteProject, useProject } from "../projects/queries";
import { TrashLink } from "../trash/parts/TrashLink";
import { ConfirmDelete } from "../ui/ConfirmDelete";
import { Page } from "../ui/Page";
import { TrashNote } from "../ui/TrashNote";
import { WebhooksLink } from "../webhooks/parts/WebhooksLink";
import { Leave } from "./parts/Leave";
import { Members } from "./parts/Members";
import { renameProject } from "./queries";

export default function SettingsPage() {
  const { project } = useParams({ from: "/shell/projects/$project/settings" });
  const { data } = useProject(project);
  if (!data) return null;
  return (
    <Page width="sm">
      <Stack gap="lg">
        <Title order={1} size="h2">
          <Trans>Settings</Trans>
        </Title>
        {data.role !== "viewer" && <General project={data} />}
        <Members project={data} />
        {data.role === "owner" && <WebhooksLink project={data.id} />}
        <TrashLink project={data.id} />
        <Leave project={data} />
        {data.role === "owner" && <Deletion project={data} />}
      </Stack>
    </Page>
  );
}

function General({ project }: { project: Project }) {
  const { t } = useLingui();
  const form = useForm({ name: project.name }, ({ name }) => renameProject(project.id, name));
  return (
    <Paper className="panel" p="lg">
      <form onSubmit={(event) => void form.onSubmit(event)}>
        <Group align="flex-end">
          <TextInput flex={1} label={t`Name of the project`} required {...form.field("name")} />
          <Button type="submit" loading={form.isBusy} disabled={form.values.name === project.name}>
            <Trans>Rename</Trans>
          </Button>
        </Group>
      </form>
    </Paper>
  );
}

function Deletion({ project }: { project: Project }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const remove = useDeleteProject();
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Paper className="panel" p="lg">
      <Group justify="space-between">
        <Text size="sm">
          <Trans>Delete the project with its images and models.</Trans>
        </Text>
        <Button variant="default" c="var(--studio-bad)" onClick={() => setIsOpen(true)}>
          <Trans>Delete the project</Trans>
        </Button>
      </Group>
      <ConfirmDelete
        opened={isOpen}
        close={() => setIsOpen(false)}
        title={t`Delete ${project.name}?`}
        name={project.name}
        confirm={async () => {
          const change = await remove.mutateAsync(project.id);
          await navigate({ to: "/" });
          const back = change ? { undo: () => restoreProject(change) } : {};
          tellDone({ title: t`Deleted`, message: project.name, undoWord: t`Undo`, ...back });
        }}
      >
        <Trans>
          {project.image_count} images and {project.model_count} models go with it. Devices keep the model
          that they have.
        </Trans>{" "}
        <TrashNote />
      </ConfirmDelete>
    </Paper>
  );
}
