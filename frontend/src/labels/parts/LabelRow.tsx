import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, ColorInput, Group, Menu, Text, TextInput, UnstyledButton } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asStudioError } from "../../api/errors";
import type { Label } from "../../api/types";
import { useCatalog } from "../../keyboard/catalog";
import { keysNow } from "../../keyboard/remap";
import { hotkeyOf } from "../../labeling/hotkeys";
import { usePreferences } from "../../preferences/preferences";
import { Icon } from "../../ui/Icon";
import { KeyHint } from "../../ui/KeyHint";
import { Swatch } from "../../ui/LabelChip";
import { changeLabel, mergeLabel } from "../queries";
import { DeleteLabel } from "./DeleteLabel";
import { HotkeyButton } from "./HotkeyButton";

interface Props {
  project: string;
  label: Label;
  labels: Label[];
  count: number | undefined;
  mayEdit: boolean;
  up?: () => void;
  down?: () => void;
}

/** Okabe and Ito's colours, which people with any kind of colour vision tell apart, and dark relatives. */
const SWATCHES = [
  "#e69f00",
  "#56b4e9",
  "#009e73",
  "#f0e442",
  "#0072b2",
  "#d55e00",
  "#cc79a7",
  "#000000",
  "#8c6d31",
  "#7b4173",
];

/** Pages where the keys of labels work beside those of actions. */
const LABELLED = new Set(["everywhere", "annotator", "labeling", "suspects"]);

export function LabelRow({ project, label, labels, count, mayEdit, up, down }: Props) {
  const { t, i18n } = useLingui();
  const { keys: own = {} } = usePreferences();
  const actions = useCatalog()
    .filter(({ page }) => LABELLED.has(page))
    .flatMap((part) => part.actions);
  const [name, setName] = useState<string | null>(null);
  const [isDeleting, setIsDeleting] = useState(false);
  const attempt = (work: Promise<unknown>) =>
    void work.catch((problem) =>
      notifications.show({ color: "red", message: asStudioError(problem).message }),
    );
  const rename = () => {
    if (name?.trim() && name !== label.name) attempt(changeLabel(project, label.id, { name: name.trim() }));
    setName(null);
  };
  const key = hotkeyOf(labels, label.id);
  const chooseKey = (hotkey: string | null) => {
    const other = labels.find((one) => one.id !== label.id && hotkey && one.hotkey === hotkey);
    if (other)
      return notifications.show({
        color: "red",
        message: t`“${other.name}” has the key ${hotkey}. Give that label another key first.`,
      });
    const rival = hotkey
      ? actions.find((one) => keysNow(one, own).includes(hotkey.toUpperCase()))
      : undefined;
    if (rival)
      notifications.show({
        message: t`${hotkey} is also the key of “${rival.title}”. Change one of them when you need both.`,
      });
    attempt(changeLabel(project, label.id, { hotkey }));
  };
  return (
    <Group wrap="nowrap" gap="sm" px="xs" mih={44}>
      {mayEdit ? (
        <Menu position="bottom-start" closeOnItemClick={false}>
          <Menu.Target>
            <UnstyledButton aria-label={t`Colour of ${label.name}`} p={6}>
              <Swatch color={label.color ?? "#888"} size={18} />
            </UnstyledButton>
          </Menu.Target>
          <Menu.Dropdown p="sm">
            <ColorInput
              aria-label={t`Colour of ${label.name}`}
              size="xs"
              format="hex"
              defaultValue={label.color}
              swatches={SWATCHES}
              swatchesPerRow={5}
              onChangeEnd={(color) => attempt(changeLabel(project, label.id, { color }))}
            />
          </Menu.Dropdown>
        </Menu>
      ) : (
        <Swatch color={label.color ?? "#888"} size={18} />
      )}
      {name === null ? (
        <UnstyledButton
          flex={1}
          miw={0}
          disabled={!mayEdit}
          onClick={() => setName(label.name)}
          title={mayEdit ? t`Rename` : undefined}
        >
          <Text truncate>{label.name}</Text>
        </UnstyledButton>
      ) : (
        <TextInput
          flex={1}
          size="xs"
          autoFocus
          aria-label={t`Name`}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          onBlur={rename}
          onKeyDown={(event) => {
            if (event.key === "Enter") rename();
            if (event.key === "Escape") setName(null);
          }}
        />
      )}
      {mayEdit ? (
        <HotkeyButton label={label} current={key} change={chooseKey} />
      ) : (
        key && <KeyHint>{key}</KeyHint>
      )}
      <Text
        renderRoot={(props) => (
          <Link
            to="/projects/$project/images"
            params={{ project }}
            search={{ label: [label.id] }}
            {...props}
          />
        )}
        size="sm"
        className="quiet"
        style={{ whiteSpace: "nowrap" }}
      >
        {count !== undefined && (
          <>
            <Text span inherit visibleFrom="xs">
              <Plural value={count} one="# image" other="# images" />
            </Text>
            <Text span inherit hiddenFrom="xs">
              {count.toLocaleString(i18n.locale)}
            </Text>
          </>
        )}
      </Text>
      {mayEdit && (
        <Group gap={2} wrap="nowrap">
          <ActionIcon
            variant="subtle"
            color="gray"
            disabled={!up}
            onClick={up}
            aria-label={t`Move ${label.name} up`}
          >
            <Icon name="arrow-up" size={16} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="gray"
            disabled={!down}
            onClick={down}
            aria-label={t`Move ${label.name} down`}
          >
            <Icon name="arrow-down" size={16} />
          </ActionIcon>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={t`More about ${label.name}`}>
                <Icon name="dots" size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown mah="60vh" style={{ overflowY: "auto" }}>
              <Menu.Item leftSection={<Icon name="pencil" size={16} />} onClick={() => setName(label.name)}>
                <Trans>Rename</Trans>
              </Menu.Item>
              <Menu.Item
                c="var(--studio-bad)"
                leftSection={<Icon name="trash" size={16} />}
                onClick={() => setIsDeleting(true)}
              >
                <Trans>Delete</Trans>
              </Menu.Item>
              {labels.length > 1 && (
                <Menu.Label>
                  <Trans>Merge into</Trans>
                </Menu.Label>
              )}
              {labels
                .filter(({ id }) => id !== label.id)
                .map((other) => (
                  <Menu.Item
                    key={other.id}
                    leftSection={<Swatch color={other.color ?? "#888"} />}
                    onClick={() => attempt(mergeLabel(project, label.id, other.id))}
                  >
                    {other.name}
                  </Menu.Item>
                ))}
            </Menu.Dropdown>
          </Menu>
        </Group>
      )}
      <DeleteLabel
        project={project}
        label={label}
        labels={labels}
        count={count ?? 0}
        opened={isDeleting}
        close={() => setIsDeleting(false)}
      />
    </Group>
  );
}
