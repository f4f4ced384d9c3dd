import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Group, Modal, PasswordInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "../../account/useForm";
import { api } from "../../api/client";
import { keys } from "../../api/keys";
import type { components } from "../../api/schema";
import { queryClient } from "../../app/queries";
import { Icon } from "../../ui/Icon";

type Source = components["schemas"]["SourceProject"];

/** A project of Azure Custom Vision, copied with its tags, images and regions. */
export function FromCustomVision() {
  const { t } = useLingui();
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button
        variant="default"
        leftSection={<Icon name="download" />}
        onClick={() => setIsOpen(true)}
      >{t`Import from Custom Vision`}</Button>
      <Modal
        opened={isOpen}
        onClose={() => setIsOpen(false)}
        title={t`Import from Custom Vision`}
        closeButtonProps={{ "aria-label": t`Close` }}
      >
        <CopyForm close={() => setIsOpen(false)} />
      </Modal>
    </>
  );
}

function CopyForm({ close }: { close: () => void }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const [projects, setProjects] = useState<Source[] | null>(null);
  const [source, setSource] = useState<string | null>(null);
  const form = useForm({ endpoint: "", key: "", name: "" }, async ({ endpoint, key, name }) => {
    if (projects === null) {
      const { data } = await api.POST("/api/v1/projects/custom-vision/sources/", { body: { endpoint, key } });
      setProjects(data ?? []);
      setSource(data?.[0]?.id ?? null);
      return;
    }
    if (source === null) {
      return;
    }
    const { data } = await api.POST("/api/v1/projects/custom-vision/", {
      body: { endpoint, key, source_project: source, name },
    });
    await queryClient.invalidateQueries({ queryKey: keys.projects });
    close();
    if (data) {
      await navigate({ to: "/projects/$project", params: { project: data.project } });
    }
  });
  return (
    <form onSubmit={(event) => void form.onSubmit(event)}>
      <Stack>
        <Text size="sm">
          <Trans>
            Copies tags, images as they are, and regions. A copy that you have already is gone on with: only
            what is new is copied. Iterations cannot be copied: train again here.
          </Trans>
        </Text>
        {projects === null ? (
          <>
            <TextInput
              label={t`Endpoint`}
              placeholder="https://name.cognitiveservices.azure.com"
              data-autofocus
              required
              maxLength={500}
              {...form.field("endpoint")}
            />
            <PasswordInput
              label={t`Training-Key`}
              description={t`Kept sealed while the images are copied, and forgotten then.`}
              autoComplete="off"
              required
              maxLength={500}
              {...form.field("key")}
            />
          </>
        ) : (
          <SourceFields projects={projects} source={source} choose={setSource} name={form.field("name")} />
        )}
        {form.problem && (
          <Text size="sm" c="var(--studio-bad)" role="alert">
            {form.problem}
          </Text>
        )}
        <Group justify="flex-end">
          {projects !== null && (
            <Anchor component="button" type="button" size="sm" onClick={() => setProjects(null)}>
              <Trans>Another endpoint</Trans>
            </Anchor>
          )}
          <Button variant="default" onClick={close}>
            <Trans>Cancel</Trans>
          </Button>
          <Button type="submit" loading={form.isBusy} disabled={projects !== null && source === null}>
            {projects === null ? <Trans>Show projects</Trans> : <Trans>Copy project</Trans>}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface SourceFieldsProps {
  projects: Source[];
  source: string | null;
  choose: (source: string | null) => void;
  name: object;
}

function SourceFields({ projects, source, choose, name }: SourceFieldsProps) {
  const { t } = useLingui();
  if (projects.length === 0) {
    return (
      <Text size="sm">
        <Trans>This key reads no projects.</Trans>
      </Text>
    );
  }
  return (
    <>
      <Select
        label={t`Project`}
        data={projects.map((project) => ({ value: project.id, label: project.name }))}
        value={source}
        onChange={choose}
        searchable
        required
        data-autofocus
      />
      <TextInput label={t`Name here`} placeholder={t`As there`} maxLength={100} {...name} />
    </>
  );
}
