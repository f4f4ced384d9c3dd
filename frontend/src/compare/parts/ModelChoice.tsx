import "@mantine/core/styles/Pill.css";
import "@mantine/core/styles/PillsInput.css";
import { useLingui } from "@lingui/react/macro";
import { Group, MultiSelect, Select } from "@mantine/core";
import type { Snapshot } from "../../api/types";
import type { ModelSummary } from "../../models/queries";
import type { SplitName } from "../../snapshots/search";
import type { Asked } from "../queries";
import { MOST_MODELS } from "../search";

interface Props {
  models: ModelSummary[];
  snapshots: Snapshot[];
  asked: Asked;
  choose: (next: Partial<Asked>) => void;
}

/** Which models, on which images. */
export function ModelChoice({ models, snapshots, asked, choose }: Props) {
  const { t } = useLingui();
  const splits: { value: SplitName; label: string }[] = [
    { value: "test", label: t`Test` },
    { value: "validation", label: t`Validation` },
    { value: "train", label: t`Train` },
  ];
  return (
    <Group align="flex-end" gap="sm">
      <MultiSelect
        label={t`Models`}
        description={t`Two to five. The first is what the others are compared with.`}
        placeholder={asked.ids.length < 2 ? t`Choose a model` : undefined}
        data={models.map(({ id, name, version }) => ({ value: id, label: `${name} v${version}` }))}
        value={asked.ids}
        onChange={(ids) => choose({ ids })}
        maxValues={MOST_MODELS}
        searchable
        hidePickedOptions
        style={{ flex: "1 1 280px" }}
      />
      <Select
        label={t`Snapshot`}
        placeholder={t`the newest that all were measured on`}
        clearable
        clearButtonProps={{ "aria-label": t`Choose no snapshot` }}
        data={snapshots.map(({ id, title }) => ({ value: id, label: title }))}
        value={asked.snapshot ?? null}
        onChange={(snapshot) => choose({ snapshot: snapshot ?? undefined })}
        style={{ flex: "1 1 220px" }}
      />
      <Select
        label={t`Split`}
        data={splits}
        value={asked.split}
        allowDeselect={false}
        onChange={(split) => choose({ split: splits.find(({ value }) => value === split)?.value ?? "test" })}
        w={150}
      />
    </Group>
  );
}
