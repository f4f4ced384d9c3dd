import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { RunningWork } from "../../activity/RunningWork";
import { useRunning } from "../../activity/useRunning";
import type { Model } from "../../models/queries";
import { useMayEdit } from "../../projects/queries";
import { useProjectSnapshots } from "../../snapshots/queries";
import { Icon } from "../../ui/Icon";
import { Problem } from "../../ui/Problem";
import { measure, refreshQuality } from "../queries";

type Split = "train" | "validation" | "test";

/** Measures the model on a split of a snapshot. */
export function Measure({ project, model }: { project: string; model: Model }) {
  const { t } = useLingui();
  const mayEdit = useMayEdit(project);
  const { data: snapshots } = useProjectSnapshots(project);
  const running = useRunning(project, "evaluation", () => void refreshQuality(project, model.id));
  const [chosen, setChosen] = useState<{ snapshot?: string; split?: Split }>({});
  const [error, setError] = useState<unknown>(null);
  const whole = snapshots?.filter(({ has_images: has }) => has) ?? [];
  const snapshot = chosen.snapshot ?? whole.find(({ id }) => id === model.snapshot)?.id ?? whole[0]?.id;
  const split = chosen.split ?? "test";
  const start = async () => {
    setError(null);
    await measure(model.id, snapshot ?? "", split).catch(setError);
  };
  if (running) return <RunningWork entry={running} title={t`The model is measured.`} />;
  if (!mayEdit)
    return (
      <Text size="sm" className="quiet">
        <Trans>You may look at this project. Its editors measure models.</Trans>
      </Text>
    );
  if (snapshots && whole.length === 0)
    return (
      <Text size="sm" className="quiet">
        <Trans>There is no snapshot to measure it on. A training takes one, or the page of a dataset.</Trans>
      </Text>
    );
  return (
    <Stack gap="xs">
      <Group align="flex-end" gap="sm">
        <Select
          label={t`Snapshot`}
          allowDeselect={false}
          data={whole.map(({ id, title }) => ({ value: id, label: title }))}
          value={snapshot ?? null}
          onChange={(value) => setChosen({ ...chosen, snapshot: value ?? undefined })}
        />
        <Select
          label={t`Split`}
          allowDeselect={false}
          w={140}
          data={[
            { value: "test", label: t`Test` },
            { value: "validation", label: t`Validation` },
            { value: "train", label: t`Train` },
          ]}
          value={split}
          onChange={(value) => setChosen({ ...chosen, split: (value ?? "test") as Split })}
        />
        <Button
          variant="default"
          leftSection={<Icon name="chart-bar" />}
          disabled={!snapshot}
          onClick={() => void start()}
        >
          <Trans>Measure it</Trans>
        </Button>
      </Group>
      <Problem error={error} />
    </Stack>
  );
}
