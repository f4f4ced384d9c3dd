import { useLingui } from "@lingui/react/macro";
import { NumberInput, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { useDatasets } from "../../projects/queries";
import { SettingsDialog } from "../../ui/SettingsDialog";
import { changeGroup, type DeviceGroup } from "../queries";

interface Props {
  project: string;
  group: DeviceGroup;
  close: () => void;
}

/** The name of a group, how often its devices ask, and which images they send back. */
export function GroupSettings({ project, group, close }: Props) {
  const { t } = useLingui();
  const { data: datasets = [] } = useDatasets(project);
  const [name, setName] = useState(group.name);
  const [seconds, setSeconds] = useState(group.poll_seconds ?? 60);
  const [percent, setPercent] = useState(Math.round(100 * (group.uncertain_below ?? 0.6)));
  const [perDay, setPerDay] = useState(group.uncertain_per_day ?? 50);
  const [dataset, setDataset] = useState(group.feedback_dataset ?? null);
  const save = () =>
    changeGroup(project, group.id, {
      name: name.trim(),
      poll_seconds: seconds,
      uncertain_below: percent / 100,
      uncertain_per_day: perDay,
      feedback_dataset: dataset,
    });
  return (
    <SettingsDialog
      title={t`Settings of ${group.name}`}
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
      <NumberInput
        label={t`Seconds between two questions to the studio`}
        description={t`A device hears of a new model when it asks the next time.`}
        min={5}
        max={86_400}
        allowDecimal={false}
        value={seconds}
        onChange={(value) => setSeconds(Number(value) || 60)}
      />
      <NumberInput
        label={t`Send images back when the model is less sure than`}
        description={t`Only devices that were started with --feedback send images.`}
        suffix=" %"
        min={0}
        max={100}
        allowDecimal={false}
        value={percent}
        onChange={(value) => setPercent(Number(value) || 0)}
      />
      <NumberInput
        label={t`At most so many images of a device each day`}
        min={0}
        max={10_000}
        allowDecimal={false}
        value={perDay}
        onChange={(value) => setPerDay(Number(value) || 0)}
      />
      <Select
        label={t`Dataset they come into`}
        placeholder={t`“From devices”, which is made when it is needed`}
        clearable
        clearButtonProps={{ "aria-label": t`Use the usual dataset` }}
        data={datasets.map(({ id, name: title }) => ({ value: id, label: title }))}
        value={dataset}
        onChange={setDataset}
      />
    </SettingsDialog>
  );
}
