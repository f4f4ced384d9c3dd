import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Select, Stack, Text } from "@mantine/core";
import type { ModelSummary } from "../../models/queries";
import { Icon } from "../../ui/Icon";
import { MOST_MODELS } from "../search";

interface Props {
  models: ModelSummary[];
  chosen: string[];
  onChange: (ids: string[]) => void;
}

/** Which models look at the image or the camera. */
export function ModelPicker({ models, chosen, onChange }: Props) {
  const { t } = useLingui();
  const nameOf = ({ name, version }: ModelSummary) => `${name} v${version}`;
  const others = models.filter(({ id }) => !chosen.includes(id));
  return (
    <Stack gap={6}>
      <Text size="sm" fw={600}>
        <Trans>Models</Trans>
      </Text>
      <Group gap="xs">
        {chosen.map((id) => {
          const model = models.find((one) => one.id === id);
          const name = model ? nameOf(model) : id.slice(0, 8);
          return chosen.length > 1 ? (
            <Button
              key={id}
              variant="default"
              rightSection={<Icon name="x" size={14} />}
              aria-label={t`Leave out ${name}`}
              onClick={() => onChange(chosen.filter((one) => one !== id))}
            >
              {name}
            </Button>
          ) : (
            <Text key={id} fw={600}>
              {name}
            </Text>
          );
        })}
        {others.length > 0 && chosen.length < MOST_MODELS && (
          <Select
            aria-label={t`Add a model`}
            placeholder={t`Add a model`}
            searchable
            data={others.map((model) => ({ value: model.id, label: nameOf(model) }))}
            value={null}
            onChange={(id) => id && onChange([...chosen, id])}
          />
        )}
      </Group>
    </Stack>
  );
}
