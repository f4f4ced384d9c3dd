import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Checkbox, Group, Loader, Select, Stack, Text, Title } from "@mantine/core";
import { useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { RunningWork } from "../activity/RunningWork";
import { useRunning } from "../activity/useRunning";
import { useDatasets, useMayEdit } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { usePageNavigate } from "../ui/usePageNavigate";
import { refreshDuplicates, searchDuplicates, useDuplicatesSummary } from "./duplicates";
import { DuplicateKinds } from "./parts/DuplicateKinds";
import { DuplicateList } from "./parts/DuplicateList";
import { ReviewTabs } from "./parts/ReviewTabs";

/** Images that are there twice, or nearly so, side by side. */
export default function DuplicatesPage() {
  const { t, i18n } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project/review/duplicates" });
  const wanted = useSearch({ from: "/shell/projects/$project/review/duplicates" });
  const navigate = usePageNavigate({ from: "/projects/$project/review/duplicates" });
  const datasets = useDatasets(project);
  const mayEdit = useMayEdit(project);
  const dataset = wanted.dataset ?? datasets.data?.[0]?.id;
  const kind = wanted.kind ?? "open";
  const summary = useDuplicatesSummary(project, dataset);
  const running = useRunning(project, "duplicates", () => void refreshDuplicates(project));
  const job = summary.data?.job;
  return (
    <>
      <ReviewTabs project={project} />
      <Page>
        <Stack gap="md">
          <Group justify="space-between" align="flex-end">
            <div>
              <Title order={1} size="h3">
                <Trans>Duplicates</Trans>
              </Title>
              <Text size="sm" className="quiet">
                {job?.finished_at ? (
                  <Trans>
                    As the search of{" "}
                    {new Date(job.finished_at).toLocaleString(i18n.locale, {
                      dateStyle: "medium",
                      timeStyle: "short",
                    })}{" "}
                    found them
                  </Trans>
                ) : (
                  <Trans>The same image twice, or nearly the same one</Trans>
                )}
              </Text>
            </div>
            {datasets.data && datasets.data.length > 1 && (
              <Select
                aria-label={t`Dataset`}
                allowDeselect={false}
                data={datasets.data.map(({ id, name }) => ({ value: id, label: name }))}
                value={dataset ?? null}
                onChange={(value) => void navigate({ search: { ...wanted, dataset: value ?? undefined } })}
              />
            )}
          </Group>
          <Problem
            error={summary.error ?? datasets.error}
            retry={() => void (summary.error ? summary.refetch() : datasets.refetch())}
          />
          {job?.state === "failed" && !running && <Problem error={new Error(job.error?.detail)} />}
          {running && <RunningWork entry={running} title={t`The images are being compared.`} />}
          {mayEdit && dataset && (
            <StartSearch dataset={dataset} isBusy={running !== undefined} isAgain={Boolean(job)} />
          )}
          {datasets.data?.length === 0 && (
            <EmptyState icon="database" title={<Trans>No dataset yet</Trans>} />
          )}
          {summary.isPending && dataset && (
            <Center mih="30vh">
              <Loader aria-label={t`Loading`} />
            </Center>
          )}
          {summary.data && !job && !running && (
            <EmptyState icon="copy" title={<Trans>Nobody looked for duplicates yet</Trans>}>
              <Trans>
                Copies make a model look better than it is, when one is learned from and the other measured
                with. The search compares how all images look.
              </Trans>
            </EmptyState>
          )}
          {summary.data && job && dataset && (
            <>
              <DuplicateKinds
                summary={summary.data}
                kind={kind}
                choose={(next) => void navigate({ search: { ...wanted, kind: next }, replace: true })}
              />
              <DuplicateList
                key={`${dataset}-${kind}`}
                project={project}
                dataset={dataset}
                kind={kind}
                mayEdit={mayEdit}
              />
            </>
          )}
        </Stack>
      </Page>
    </>
  );
}

function StartSearch({ dataset, isBusy, isAgain }: { dataset: string; isBusy: boolean; isAgain: boolean }) {
  const { t } = useLingui();
  const [isWhole, setIsWhole] = useState(false);
  const [isByFeatures, setIsByFeatures] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const start = () => {
    setError(null);
    void searchDuplicates(dataset, isWhole, isByFeatures).catch(setError);
  };
  return (
    <>
      <Group>
        <Button
          variant={isAgain ? "default" : "filled"}
          leftSection={<Icon name="search" />}
          disabled={isBusy}
          onClick={start}
        >
          {isAgain ? <Trans>Search again</Trans> : <Trans>Look for duplicates</Trans>}
        </Button>
        <Checkbox
          label={t`In all datasets of the project`}
          checked={isWhole}
          onChange={(event) => setIsWhole(event.currentTarget.checked)}
        />
        <Checkbox
          label={t`Also crops, mirrored copies and other light`}
          checked={isByFeatures}
          onChange={(event) => setIsByFeatures(event.currentTarget.checked)}
        />
      </Group>
      <Problem error={error} />
    </>
  );
}
