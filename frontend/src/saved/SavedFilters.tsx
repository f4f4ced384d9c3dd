import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Button, Group, Menu, Text, UnstyledButton } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { asStudioError } from "../api/errors";
import { type Filter, isFiltered } from "../gallery/filter";
import classes from "../gallery/Gallery.module.css";
import { useMayEdit, useProject } from "../projects/queries";
import { Icon } from "../ui/Icon";
import { changeFilter, deleteFilter, useSavedFilters } from "./queries";
import { asFilter, isShown, type SavedFilter } from "./query";
import { SaveFilter } from "./SaveFilter";

interface Props {
  project: string;
  filter: Filter;
  show: (filter: Filter) => void;
}

/** Filters under names: a click shows one, and its address can be sent to others. */
export function SavedFilters({ project, filter, show }: Props) {
  const { t } = useLingui();
  const { data: saved = [] } = useSavedFilters(project);
  const [naming, setNaming] = useState<SavedFilter | "new" | null>(null);
  const canSave = isFiltered(filter) && !saved.some((one) => isShown(one, filter));
  if (saved.length === 0 && !canSave) return null;
  return (
    <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
      <Text component="legend" size="xs" fw={600} className="quiet" px={8} mb={2}>
        <Trans>Saved filters</Trans>
      </Text>
      {saved.map((one) => (
        <SavedRow
          key={one.id}
          project={project}
          saved={one}
          filter={filter}
          show={() => show({ ...asFilter(one.query), size: filter.size })}
          rename={() => setNaming(one)}
        />
      ))}
      {canSave && (
        <Button
          size="compact-sm"
          variant="subtle"
          leftSection={<Icon name="plus" size={15} />}
          onClick={() => setNaming("new")}
        >
          <Trans>Save this filter</Trans>
        </Button>
      )}
      {naming && (
        <SaveFilter
          key={naming === "new" ? "new" : naming.id}
          project={project}
          filter={filter}
          saved={naming === "new" ? null : naming}
          close={() => setNaming(null)}
          title={naming === "new" ? t`Save this filter` : t`Rename`}
        />
      )}
    </fieldset>
  );
}

interface RowProps {
  project: string;
  saved: SavedFilter;
  filter: Filter;
  show: () => void;
  rename: () => void;
}

function SavedRow({ project, saved, filter, show, rename }: RowProps) {
  const { t } = useLingui();
  const mayEdit = useMayEdit(project);
  const { data: own } = useProject(project);
  const isHere = isShown(saved, filter);
  const attempt = (work: Promise<unknown>) =>
    void work.catch((problem) =>
      notifications.show({ color: "red", message: asStudioError(problem).message }),
    );
  const mayDelete = saved.is_mine || own?.role === "owner";
  return (
    <Group gap={2} wrap="nowrap">
      <UnstyledButton
        className={classes.facet}
        aria-pressed={isHere}
        onClick={show}
        data-saved-filter={saved.name}
        title={saved.is_mine ? undefined : t`Shared by ${saved.created_by}`}
      >
        <Icon name={saved.is_shared ? "users" : "filter"} size={14} />
        <span className={classes.text}>{saved.name}</span>
      </UnstyledButton>
      {mayDelete && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={t`More about ${saved.name}`}>
              <Icon name="dots" size={15} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {saved.is_mine && (
              <>
                <Menu.Item leftSection={<Icon name="pencil" size={16} />} onClick={rename}>
                  <Trans>Rename</Trans>
                </Menu.Item>
                {!isHere && isFiltered(filter) && (
                  <Menu.Item
                    leftSection={<Icon name="refresh" size={16} />}
                    onClick={() => attempt(changeFilter(project, saved.id, { filter }))}
                  >
                    <Trans>Replace by what is shown</Trans>
                  </Menu.Item>
                )}
                {mayEdit && (
                  <Menu.Item
                    leftSection={<Icon name="users" size={16} />}
                    onClick={() => attempt(changeFilter(project, saved.id, { is_shared: !saved.is_shared }))}
                  >
                    {saved.is_shared ? <Trans>Stop sharing</Trans> : <Trans>Share with the project</Trans>}
                  </Menu.Item>
                )}
              </>
            )}
            <Menu.Item
              c="var(--studio-bad)"
              leftSection={<Icon name="trash" size={16} />}
              onClick={() => attempt(deleteFilter(project, saved.id))}
            >
              <Trans>Delete</Trans>
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </Group>
  );
}
