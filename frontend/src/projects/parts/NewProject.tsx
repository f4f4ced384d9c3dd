import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Modal, Radio, Stack, Text, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "../../account/useForm";
import type { Task } from "../../api/types";
import { useCreateProject } from "../queries";

/** A name and one question in plain words: what should the model tell? */
export function NewProject({ opened, close }: { opened: boolean; close: () => void }) {
  const { t } = useLingui();
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t`New project`}
      closeButtonProps={{ "aria-label": t`Close` }}
    >
      <NewProjectForm close={close} />
    </Modal>
  );
}

function NewProjectForm({ close }: { close: () => void }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const create = useCreateProject();
  const [task, setTask] = useState<Task>("classification");
  const form = useForm({ name: "" }, async ({ name }) => {
    const project = await create.mutateAsync({ name, task, dataset: t`Images` });
    close();
    await navigate({ to: "/projects/$project", params: { project: project.id } });
  });
  const choices: { value: Task; title: string; text: string }[] = [
    {
      value: "classification",
      title: t`What is on the image?`,
      text: t`One label for the whole image. (Classification)`,
    },
    {
      value: "multilabel",
      title: t`Which of these are on the image?`,
      text: t`None to many labels for the whole image. (Multilabel classification)`,
    },
    {
      value: "detection",
      title: t`Where on the image is it?`,
      text: t`A box around each thing, with a label. (Object detection)`,
    },
  ];
  return (
    <form onSubmit={(event) => void form.onSubmit(event)}>
      <Stack>
        <TextInput
          label={t`Name`}
          placeholder={t`Screws on line 3`}
          data-autofocus
          required
          maxLength={200}
          {...form.field("name")}
        />
        <Radio.Group
          label={t`What should the model tell you?`}
          value={task}
          onChange={(value) => setTask(value as Task)}
        >
          <Stack gap="xs" mt={6}>
            {choices.map((choice) => (
              <Radio.Card key={choice.value} value={choice.value} p="sm" radius="md">
                <Group wrap="nowrap" align="flex-start">
                  <Radio.Indicator />
                  <div>
                    <Text size="sm" fw={600}>
                      {choice.title}
                    </Text>
                    <Text size="xs" className="quiet">
                      {choice.text}
                    </Text>
                  </div>
                </Group>
              </Radio.Card>
            ))}
          </Stack>
        </Radio.Group>
        {form.problem && (
          <Text size="sm" c="var(--studio-bad)" role="alert">
            {form.problem}
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            <Trans>Cancel</Trans>
          </Button>
          <Button type="submit" loading={form.isBusy}>
            <Trans>Create project</Trans>
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
