import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Modal, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useForm } from "../account/useForm";
import type { Filter } from "../gallery/filter";
import { useMayEdit } from "../projects/queries";
import { changeFilter, saveFilter } from "./queries";
import type { SavedFilter } from "./query";

interface Props {
  project: string;
  filter: Filter;
  /** Set: it gets another name. */
  saved: SavedFilter | null;
  title: string;
  close: () => void;
}

/** Asks for the name of a filter, and whether others see it. */
export function SaveFilter({ project, filter, saved, title, close }: Props) {
  const { t } = useLingui();
  const mayEdit = useMayEdit(project);
  const [isShared, setIsShared] = useState(saved?.is_shared ?? false);
  const form = useForm({ name: saved?.name ?? "" }, async ({ name }) => {
    if (saved) await changeFilter(project, saved.id, { name, is_shared: isShared });
    else await saveFilter(project, name, filter, isShared);
    close();
  });
  return (
    <Modal opened onClose={close} title={title} closeButtonProps={{ "aria-label": t`Close` }}>
      <form onSubmit={(event) => void form.onSubmit(event)}>
        <Stack>
          <TextInput label={t`Name`} required maxLength={60} data-autofocus {...form.field("name")} />
          {mayEdit && (
            <Switch
              label={t`Every member of the project sees it`}
              checked={isShared}
              onChange={(event) => setIsShared(event.currentTarget.checked)}
            />
          )}
          {form.problem && (
            <Text size="sm" c="var(--studio-bad)" role="alert">
              {form.problem}
            </Text>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              <Trans>Cancel</Trans>
            </Button>
            <Button type="submit" loading={form.isBusy}>
              <Trans>Save</Trans>
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
