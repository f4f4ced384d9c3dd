import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Group, Radio, Text } from "@mantine/core";
import { epochsOf, type PresetName } from "../form";
import type { Preset } from "../queries";
import classes from "../Trainings.module.css";
import { usePresetNames } from "../words";

/** How much is done: three words instead of twenty numbers. The server has them, and says what each one sets. */
export function PresetPicker({
  presets,
  value,
  changed,
  onChange,
}: {
  presets: Preset[];
  value: PresetName;
  /** How many of its settings were changed under the expert settings. */
  changed: number;
  onChange: (value: PresetName) => void;
}) {
  const { t } = useLingui();
  const names = usePresetNames();
  return (
    <Radio.Group label={t`How thorough?`} value={value} onChange={(chosen) => onChange(chosen as PresetName)}>
      <div className={classes.presets} style={{ marginTop: 6 }}>
        {presets.map(({ name, title, description, configuration }) => (
          <Radio.Card key={name} value={name} p="sm" radius="md">
            <Group wrap="nowrap" align="flex-start" gap="sm">
              <Radio.Indicator />
              <div>
                <Text size="sm" fw={600}>
                  {name === value && changed > 0
                    ? t`${names[name]?.title ?? title}, changed`
                    : (names[name]?.title ?? title)}
                </Text>
                <Text size="xs" className="quiet">
                  {names[name]?.text ?? description}
                </Text>
                <Text size="xs" className="quiet" mt={4}>
                  {name === value && changed > 0 ? (
                    <Plural value={changed} one="# setting is your own" other="# settings are your own" />
                  ) : configuration.minutes ? (
                    <Plural value={configuration.minutes} one="at most # minute" other="at most # minutes" />
                  ) : (
                    <SizeAndEpochs size={configuration.image_size ?? 0} epochs={epochsOf(configuration)} />
                  )}
                </Text>
              </div>
            </Group>
          </Radio.Card>
        ))}
      </div>
    </Radio.Group>
  );
}

function SizeAndEpochs({ size, epochs }: { size: number; epochs: number }) {
  if (epochs === 0) return <Trans>{size} px</Trans>;
  return <Plural value={epochs} one={`${size} px, # epoch`} other={`${size} px, # epochs`} />;
}
