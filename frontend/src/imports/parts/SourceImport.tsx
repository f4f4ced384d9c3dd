import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useForm } from "../../account/useForm";
import { send } from "../../api/client";
import type { Job } from "../../api/types";

/** From a bucket or FastDFS, without passing through the browser. */
export function SourceImport({ project, dataset }: { project: string; dataset: string }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const form = useForm({ source: "" }, async ({ source }) => {
    const job = await send<Job>(
      "POST",
      `/api/v1/datasets/${dataset}/imports/`,
      JSON.stringify({ source, dry_run: true }),
      {
        "Content-Type": "application/json",
      },
    );
    await navigate({
      to: "/projects/$project/import/$job",
      params: { project, job: job.id },
      search: { dataset },
    });
  });
  return (
    <Paper className="panel" p="lg">
      <form onSubmit={(event) => void form.onSubmit(event)}>
        <Stack gap="xs">
          <Title order={2} size="h5">
            <Trans>From a bucket or FastDFS</Trans>
          </Title>
          <Group align="flex-end">
            <TextInput
              flex={1}
              miw={220}
              label={t`Address`}
              placeholder="s3://bucket/photographs/   fastdfs://group1/M00/…"
              required
              {...form.field("source")}
            />
            <Button type="submit" variant="default" loading={form.isBusy}>
              <Trans>Look what is there</Trans>
            </Button>
          </Group>
          {form.problem && (
            <Text size="sm" c="var(--studio-bad)" role="alert">
              {form.problem}
            </Text>
          )}
        </Stack>
      </form>
    </Paper>
  );
}
