import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Stack, Switch, TagsInput, Text, Textarea, Title } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { Icon } from "../../ui/Icon";
import { Problem } from "../../ui/Problem";
import { TrashNote } from "../../ui/TrashNote";
import { changeModel, deleteModel, useModelUses } from "../files";
import type { Model } from "../queries";

interface Props {
  project: string;
  model: Model;
  mayEdit: boolean;
  isOwner: boolean;
}

/** Notes and tags, who may use the model, and its end. */
export function About({ project, model, mayEdit, isOwner }: Props) {
  const { t } = useLingui();
  const [error, setError] = useState<unknown>(null);
  const [isDeleting, setIsDeleting] = useState(false);
  const [notes, setNotes] = useState(model.notes ?? "");
  const change = (title: string, body: Parameters<typeof changeModel>[3]) => {
    setError(null);
    void changeModel(project, title, model.id, body).catch(setError);
  };
  const saveNotes = () => {
    if (notes !== (model.notes ?? "")) change(t`Notes of ${model.name}`, { notes });
  };
  return (
    <Paper className="panel" p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          <Trans>Notes and tags</Trans>
        </Title>
        {mayEdit ? (
          <>
            <Textarea
              label={t`Notes`}
              description={t`They are saved when you leave the field.`}
              autosize
              minRows={2}
              maxLength={5000}
              value={notes}
              onChange={(event) => setNotes(event.currentTarget.value)}
              onBlur={saveNotes}
            />
            <TagsInput
              label={t`Tags`}
              description={t`Enter adds one.`}
              maxTags={20}
              value={model.tags ?? []}
              onChange={(tags) => change(t`Tags of ${model.name}`, { tags })}
            />
          </>
        ) : (
          <>
            <Text size="sm" style={{ whiteSpace: "pre-wrap" }}>
              {model.notes || <span className="quiet">{t`No notes.`}</span>}
            </Text>
            <Text size="sm">{(model.tags ?? []).join(" · ")}</Text>
          </>
        )}
        {mayEdit && isOwner && (
          <Switch
            label={t`Public: every user of this studio may find it, use it and train from it`}
            checked={model.visibility === "public"}
            onChange={(event) =>
              change(t`Who may use ${model.name}`, {
                visibility: event.currentTarget.checked ? "public" : "private",
              })
            }
          />
        )}
        <Problem error={error} />
        {mayEdit && (
          <Group>
            <Button
              size="compact-sm"
              variant="light"
              color="red"
              leftSection={<Icon name="trash" size={16} />}
              onClick={() => setIsDeleting(true)}
            >
              <Trans>Delete the model</Trans>
            </Button>
          </Group>
        )}
      </Stack>
      {isDeleting && <Delete project={project} model={model} close={() => setIsDeleting(false)} />}
    </Paper>
  );
}

function Delete({ project, model, close }: { project: string; model: Model; close: () => void }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const { data } = useModelUses(project, model.id, true);
  const remove = async () => {
    await deleteModel(project, t`Deleted ${model.name} v${model.version}`, model.id);
    await navigate({ to: "/projects/$project/models", params: { project } });
  };
  return (
    <ConfirmDelete opened title={t`Delete ${model.name} v${model.version}?`} confirm={remove} close={close}>
      <TrashNote />
      {data?.uses.map(({ id, detail }) => (
        <Text key={id} span display="block" size="sm" mt="xs" c="var(--studio-warn)">
          {detail}
        </Text>
      ))}
    </ConfirmDelete>
  );
}
