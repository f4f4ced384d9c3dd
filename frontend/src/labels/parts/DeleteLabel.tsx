import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Radio, Select, Stack } from "@mantine/core";
import { useState } from "react";
import type { Label } from "../../api/types";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { TrashNote } from "../../ui/TrashNote";
import { deleteLabel, type Fate } from "../queries";

interface Props {
  project: string;
  label: Label;
  labels: Label[];
  count: number;
  opened: boolean;
  close: () => void;
}

/** Asks what becomes of the images that carry the label. */
export function DeleteLabel({ project, label, labels, count, opened, close }: Props) {
  const { t } = useLingui();
  const [fate, setFate] = useState<Fate>("unlabel");
  const [target, setTarget] = useState<string | null>(null);
  const others = labels.filter(({ id }) => id !== label.id);
  return (
    <ConfirmDelete
      opened={opened}
      close={close}
      title={t`Delete the label ${label.name}?`}
      confirm={() =>
        deleteLabel(
          project,
          label.id,
          count > 0 ? fate : null,
          fate === "move" ? (target ?? undefined) : undefined,
        )
      }
    >
      {count === 0 ? (
        <Trans>No image carries it.</Trans>
      ) : (
        <Stack gap="xs" component="span">
          <Plural value={count} one="# image carries it." other="# images carry it." />
          <Radio.Group
            aria-label={t`What becomes of the images`}
            value={fate}
            onChange={(value) => setFate(value as Fate)}
          >
            <Stack gap={6}>
              <Radio value="unlabel" label={t`They lose this label`} />
              {others.length > 0 && <Radio value="move" label={t`They get another label`} />}
              <Radio value="delete" label={t`They are deleted too`} description={<TrashNote />} />
            </Stack>
          </Radio.Group>
          {fate === "move" && (
            <Select
              aria-label={t`The other label`}
              data={others.map(({ id, name }) => ({ value: id, label: name }))}
              value={target}
              onChange={setTarget}
            />
          )}
        </Stack>
      )}
    </ConfirmDelete>
  );
}
