import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Select, Stack } from "@mantine/core";
import { useState } from "react";
import type { ModelSummary } from "../../models/queries";
import { useDatasets } from "../../projects/queries";
import { Icon } from "../../ui/Icon";
import { Problem } from "../../ui/Problem";
import { BY_FEATURES, searchSuspects } from "../suspects";

interface Props {
  project: string;
  models: ModelSummary[];
  isBusy: boolean;
  onStart: (model: string, dataset: string) => void;
}

/** Which model looks at which dataset; none where there is none yet. */
export function StartSuspects({ project, models, isBusy, onStart }: Props) {
  const { t } = useLingui();
  const { data: datasets = [] } = useDatasets(project);
  const [chosen, setChosen] = useState<{ model?: string | null; dataset?: string | null }>({});
  const [error, setError] = useState<unknown>(null);
  const [isSending, setIsSending] = useState(false);
  const model = chosen.model ?? models[0]?.id ?? BY_FEATURES;
  const dataset = chosen.dataset ?? datasets[0]?.id;
  const start = async () => {
    if (!dataset) return;
    setIsSending(true);
    setError(null);
    try {
      await searchSuspects(model, dataset);
      onStart(model, dataset);
    } catch (problem) {
      setError(problem);
    } finally {
      setIsSending(false);
    }
  };
  return (
    <Stack gap="xs" mt="md">
      <Select
        label={t`Model`}
        allowDeselect={false}
        data={[
          ...models.map(({ id, name, version }) => ({ value: id, label: `${name} v${version}` })),
          { value: BY_FEATURES, label: t`None, by how the images look` },
        ]}
        value={model}
        onChange={(value) => setChosen({ ...chosen, model: value })}
      />
      {datasets.length > 1 && (
        <Select
          label={t`Dataset`}
          allowDeselect={false}
          data={datasets.map(({ id, name }) => ({ value: id, label: name }))}
          value={dataset ?? null}
          onChange={(value) => setChosen({ ...chosen, dataset: value })}
        />
      )}
      <Problem error={error} />
      <Button
        variant="default"
        leftSection={<Icon name="search" />}
        loading={isSending}
        disabled={isBusy || !dataset}
        onClick={() => void start()}
      >
        <Trans>Look for doubtful labels</Trans>
      </Button>
    </Stack>
  );
}
