import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Modal, NumberInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useModel, useModels } from "../../models/queries";
import { Problem } from "../../ui/Problem";
import { type DeviceGroup, deploy } from "../queries";

const PLANS = { once: [100], careful: [10, 50, 100], slow: [1, 5, 25, 100] } as const;
type Plan = keyof typeof PLANS;
/** What devices can run; the rest of a model's files are for people. */
const KINDS = /^(litert|onnx)/;

interface Props {
  project: string;
  group: DeviceGroup;
  close: () => void;
}

/** Which model a group is to run, by which file, and how carefully. */
export function RollOut({ project, group, close }: Props) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const { data: models = [] } = useModels(project);
  const [model, setModel] = useState<string | null>(null);
  const [kind, setKind] = useState<string | null>(null);
  const [plan, setPlan] = useState<Plan>(group.device_count > 3 ? "careful" : "once");
  const [minutes, setMinutes] = useState(30);
  const [note, setNote] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const chosen = model ?? models[0]?.id ?? null;
  const { data: whole } = useModel(project, chosen);
  const kinds = (whole?.files ?? []).map((file) => file.kind).filter((one) => KINDS.test(one));
  const file = kinds.find((one) => one === kind) ?? kinds[0] ?? null;
  const plans: { value: Plan; label: string }[] = [
    { value: "once", label: t`All devices at once` },
    { value: "careful", label: t`10, 50, then 100 percent of the devices` },
    { value: "slow", label: t`1, 5, 25, then 100 percent of the devices` },
  ];
  const start = async () => {
    if (!chosen || !file) return;
    setIsBusy(true);
    setError(null);
    try {
      const made = await deploy(project, {
        group: group.id,
        model: chosen,
        kind: file,
        steps: [...PLANS[plan]],
        step_minutes: minutes,
        note,
      });
      close();
      await navigate({
        to: "/projects/$project/deployments/$deployment",
        params: { project, deployment: made.id },
      });
    } catch (problem) {
      setError(problem);
      setIsBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t`Roll out a model to ${group.name}`}
      closeButtonProps={{ "aria-label": t`Close` }}
    >
      <Stack>
        <Select
          label={t`Model`}
          data={models.map(({ id, name, version }) => ({ value: id, label: `${name} v${version}` }))}
          value={chosen}
          onChange={setModel}
          allowDeselect={false}
          searchable
        />
        <Select
          label={t`File`}
          description={t`Smaller files are made as exports of the model.`}
          data={kinds}
          value={file}
          onChange={setKind}
          allowDeselect={false}
        />
        <Select
          label={t`How carefully`}
          data={plans}
          value={plan}
          onChange={(value) => setPlan(plans.find((one) => one.value === value)?.value ?? "once")}
          allowDeselect={false}
        />
        {plan !== "once" && (
          <NumberInput
            label={t`Minutes a step lasts at least`}
            min={0}
            max={100_000}
            value={minutes}
            onChange={(value) => setMinutes(Number(value) || 0)}
          />
        )}
        <TextInput
          label={t`Note`}
          placeholder={t`why, for those who look later`}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <Text size="sm" className="quiet">
          <Trans>
            A device tests the model before it changes over, and keeps the one it has when the test fails.
            When more than a tenth of the devices that reported fail, the roll-out stops by itself.
          </Trans>
        </Text>
        <Problem error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            <Trans>Cancel</Trans>
          </Button>
          <Button loading={isBusy} disabled={!chosen || !file} onClick={() => void start()}>
            <Trans>Start the roll-out</Trans>
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
