import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import { useForm } from "../../account/useForm";
import type { Snapshot } from "../../api/types";
import { Icon } from "../../ui/Icon";
import { changeSnapshot } from "../queries";

/** Its name and notes, which are all of it that can be changed. */
export function About({
  project,
  snapshot,
  mayEdit,
}: {
  project: string;
  snapshot: Snapshot;
  mayEdit: boolean;
}) {
  const { t, i18n } = useLingui();
  const [isEditing, setIsEditing] = useState(false);
  const taken = new Date(snapshot.created_at).toLocaleString(i18n.locale, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  if (isEditing) return <Edit project={project} snapshot={snapshot} close={() => setIsEditing(false)} />;
  return (
    <div>
      <Group gap="xs">
        <Title order={1} size="h2">
          {snapshot.title}
        </Title>
        {mayEdit && (
          <Button
            size="compact-sm"
            variant="subtle"
            leftSection={<Icon name="pencil" size={15} />}
            onClick={() => setIsEditing(true)}
            aria-label={t`Change the name and the notes`}
          >
            <Trans>Change</Trans>
          </Button>
        )}
      </Group>
      <Text size="sm" className="quiet">
        <Trans>
          Snapshot {snapshot.number} of {snapshot.dataset_name}
        </Trans>
        {" · "}
        {taken}
        {snapshot.created_by && ` · ${snapshot.created_by}`}
      </Text>
      {snapshot.notes && (
        <Text size="sm" mt="xs" style={{ whiteSpace: "pre-wrap" }}>
          {snapshot.notes}
        </Text>
      )}
    </div>
  );
}

function Edit({ project, snapshot, close }: { project: string; snapshot: Snapshot; close: () => void }) {
  const { t } = useLingui();
  const form = useForm({ name: snapshot.name ?? "", notes: snapshot.notes ?? "" }, async (values) => {
    await changeSnapshot(project, snapshot.id, values);
    close();
  });
  return (
    <form onSubmit={(event) => void form.onSubmit(event)}>
      <Stack gap="xs">
        <TextInput label={t`Name`} maxLength={100} autoFocus {...form.field("name")} />
        <Textarea
          label={t`Notes`}
          description={t`Why it was taken, and what is special about it`}
          autosize
          minRows={2}
          maxLength={5000}
          {...form.field("notes")}
        />
        {form.problem && (
          <Text size="sm" c="var(--studio-bad)" role="alert">
            {form.problem}
          </Text>
        )}
        <Group>
          <Button type="submit" loading={form.isBusy}>
            <Trans>Save</Trans>
          </Button>
          <Button variant="default" onClick={close}>
            <Trans>Cancel</Trans>
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
