import { Trans, useLingui } from "@lingui/react/macro";
import { Select, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { StudioError } from "../../api/errors";
import type { Project } from "../../api/types";
import { useModels } from "../../models/queries";
import { useDatasets } from "../../projects/queries";
import type { Setting, TrainForm } from "../form";
import { hasExpertSettings } from "../keptForm";
import { useArchitectures } from "../queries";
import classes from "../Trainings.module.css";
import { SettingField } from "./SettingField";

interface Props {
  project: Project;
  form: TrainForm;
  settings: Setting[];
  /** The settings of the preset, which hold where a field is empty. */
  usual: Record<string, unknown>;
  error: StudioError | null;
  onChange: (form: TrainForm) => void;
}

/** What few people change: what to start from, and every setting of the network and its training. */
export function Expert({ project, form, settings, usual, error, onChange }: Props) {
  const { t } = useLingui();
  const { data: datasets = [] } = useDatasets(project.id);
  const { data: models = [] } = useModels(project.id);
  const { data: architectures = [] } = useArchitectures(project.task);
  const [isOpen] = useState(() => hasExpertSettings(form));
  const titles = Object.fromEntries(architectures.map(({ name, title }) => [name, title]));
  return (
    <details className={classes.fold} open={isOpen || undefined}>
      <summary>
        <Trans>Expert settings</Trans>
      </summary>
      <Stack>
        <div className={classes.settings}>
          <TextInput
            label={t`Name of the model`}
            description={t`Without one it is called as the project.`}
            maxLength={100}
            error={error?.of("name")}
            value={form.name}
            onChange={(event) => onChange({ ...form, name: event.currentTarget.value })}
          />
          {datasets.length > 1 && (
            <Select
              label={t`Dataset`}
              description={t`What it learns from, as it is now.`}
              clearable
              placeholder={datasets[0]?.name}
              data={datasets.map(({ id, name }) => ({ value: id, label: name }))}
              value={form.dataset}
              onChange={(dataset) => onChange({ ...form, dataset })}
            />
          )}
          {models.length > 0 && (
            <Select
              label={t`Start from`}
              description={t`An earlier model learns on instead of a new one.`}
              clearable
              placeholder={t`a new network`}
              error={error?.of("base_model")}
              data={models.map(({ id, name, version }) => ({ value: id, label: `${name} v${version}` }))}
              value={form.base}
              onChange={(base) => onChange({ ...form, base })}
            />
          )}
        </div>
        <div className={classes.settings}>
          {settings.map((setting) => (
            <SettingField
              key={setting.name}
              setting={setting}
              value={form.settings[setting.name] ?? ""}
              usual={usual[setting.name]}
              refusal={error?.of(setting.name)}
              titles={setting.name === "architecture" ? titles : {}}
              onChange={(value) =>
                onChange({ ...form, settings: { ...form.settings, [setting.name]: value } })
              }
            />
          ))}
        </div>
      </Stack>
    </details>
  );
}
