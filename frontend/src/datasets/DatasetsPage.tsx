import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useForm } from "../account/useForm";
import { useDatasets, useMayEdit, useProject } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { DatasetCard } from "./parts/DatasetCard";
import { addDataset } from "./queries";

export default function DatasetsPage() {
  const { t } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project/datasets" });
  const { data: own } = useProject(project);
  const { data, error, refetch } = useDatasets(project);
  const mayEdit = useMayEdit(project);
  const form = useForm({ name: "" }, async ({ name }) => {
    await addDataset(project, name);
    form.set({ name: "" });
  });
  return (
    <Page width="md">
      <Stack gap="lg">
        <div>
          <Title order={1} size="h2">
            <Trans>Datasets</Trans>
          </Title>
          <Text className="quiet" size="sm">
            <Trans>
              A dataset holds images. A snapshot fixes what is in it at one moment, and is what a model is
              trained on.
            </Trans>
          </Text>
        </div>
        <Problem error={error} retry={() => void refetch()} />
        {mayEdit && (
          <form onSubmit={(event) => void form.onSubmit(event)}>
            <Group align="flex-end">
              <TextInput flex={1} label={t`New dataset`} required {...form.field("name")} />
              <Button type="submit" loading={form.isBusy} leftSection={<Icon name="plus" />}>
                <Trans>Add</Trans>
              </Button>
            </Group>
          </form>
        )}
        {data?.length === 0 && <EmptyState icon="database" title={<Trans>No dataset yet</Trans>} />}
        {data?.map(
          (dataset) =>
            own && <DatasetCard key={dataset.id} project={own} dataset={dataset} mayEdit={mayEdit} />,
        )}
      </Stack>
    </Page>
  );
}
