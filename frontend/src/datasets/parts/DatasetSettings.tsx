import { useLingui } from "@lingui/react/macro";
import { Radio, Stack, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Dataset } from "../../api/types";
import { SettingsDialog } from "../../ui/SettingsDialog";
import { changeDataset } from "../queries";

interface Props {
  project: string;
  dataset: Dataset;
  close: () => void;
}

/** The name of a dataset, and which images its splits keep together. */
export function DatasetSettings({ project, dataset, close }: Props) {
  const { t } = useLingui();
  const [name, setName] = useState(dataset.name);
  const [description, setDescription] = useState(dataset.description ?? "");
  const [alike, setAlike] = useState(dataset.near_duplicates ?? "strict");
  const kinds = [
    {
      value: "strict",
      label: t`Images that are nearly the same`,
      description: t`So that a model is never tested on what it has learnt by heart.`,
    },
    {
      value: "features",
      label: t`Also crops, mirrored copies and other light`,
      description: t`By what the images show, as soon as they are compared in the background.`,
    },
    {
      value: "exact",
      label: t`Only the same image, saved again`,
      description: t`For a fixed camera, whose images all look alike.`,
    },
    {
      value: "off",
      label: t`None`,
      description: t`Groups that you named and frames of a video stay together all the same.`,
    },
  ] as const;
  const save = () =>
    changeDataset(project, dataset.id, { name: name.trim(), description, near_duplicates: alike });
  return (
    <SettingsDialog
      title={t`Settings of ${dataset.name}`}
      isValid={name.trim() !== ""}
      save={save}
      close={close}
    >
      <TextInput
        label={t`Name`}
        required
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Textarea
        label={t`Description`}
        autosize
        minRows={2}
        maxLength={5000}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
      />
      <Radio.Group
        label={t`Images that stay on one side of a split`}
        value={alike}
        onChange={(value) => setAlike(kinds.find((one) => one.value === value)?.value ?? "strict")}
      >
        <Stack gap="xs" mt="xs">
          {kinds.map((kind) => (
            <Radio key={kind.value} {...kind} />
          ))}
        </Stack>
      </Radio.Group>
    </SettingsDialog>
  );
}
