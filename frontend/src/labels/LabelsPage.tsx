import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useForm } from "../account/useForm";
import { useFacets } from "../gallery/queries";
import { useLabels, useMayEdit } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { namesIn } from "./names";
import { LabelRow } from "./parts/LabelRow";
import { addLabel, reorderLabels } from "./queries";

export default function LabelsPage() {
  const { t } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project/labels" });
  const { data: labels, error, refetch } = useLabels(project);
  const { data: facets } = useFacets(project, {});
  const mayEdit = useMayEdit(project);
  const nameField = useRef<HTMLInputElement>(null);
  const isEmpty = labels?.length === 0;
  // A new project begins with its labels, so that is where one writes.
  useEffect(() => {
    if (isEmpty) nameField.current?.focus();
  }, [isEmpty]);
  const counts = new Map(facets?.labels.map(({ id, count }) => [id, count]));
  const form = useForm({ name: "" }, async ({ name }) => {
    // Several at once, as people paste them from a list. What is added leaves the field: one of them may be refused.
    const names = namesIn(name);
    for (const [index, next] of names.entries()) {
      await addLabel(project, next);
      form.set({ name: names.slice(index + 1).join(", ") });
    }
  });
  const move = (index: number, way: -1 | 1) => {
    const ids = labels?.map(({ id }) => id) ?? [];
    const [moved] = ids.splice(index, 1);
    if (moved) void reorderLabels(project, ids.toSpliced(index + way, 0, moved));
  };
  return (
    <Page width="md">
      <Stack gap="lg">
        <Title order={1} size="h2">
          <Trans>Labels</Trans>
        </Title>
        <Problem error={error} retry={() => void refetch()} />
        {mayEdit && (
          <form onSubmit={(event) => void form.onSubmit(event)}>
            <Group align="flex-end" wrap="nowrap">
              <TextInput
                flex={1}
                label={t`New label`}
                description={t`Several with commas between them`}
                placeholder={t`scratch, dent, good`}
                required
                ref={nameField}
                {...form.field("name")}
              />
              <Button type="submit" loading={form.isBusy} leftSection={<Icon name="plus" />}>
                <Trans>Add</Trans>
              </Button>
            </Group>
            {form.problem && (
              <Text size="sm" c="var(--studio-bad)" role="alert" mt={4}>
                {form.problem}
              </Text>
            )}
          </form>
        )}
        {labels?.length === 0 && (
          <EmptyState icon="palette" title={<Trans>No labels yet</Trans>}>
            <Trans>
              A label names what the model should tell apart, as “scratch” and “good”. Imports bring theirs
              along.
            </Trans>
          </EmptyState>
        )}
        {labels && labels.length > 0 && (
          <Paper className="panel" p="xs">
            <Stack gap={0}>
              {labels.map((label, index) => (
                <LabelRow
                  key={label.id}
                  project={project}
                  label={label}
                  labels={labels}
                  count={counts.get(label.id)}
                  mayEdit={mayEdit}
                  up={index > 0 ? () => move(index, -1) : undefined}
                  down={index < labels.length - 1 ? () => move(index, 1) : undefined}
                />
              ))}
            </Stack>
          </Paper>
        )}
      </Stack>
    </Page>
  );
}
