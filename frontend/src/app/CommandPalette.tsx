import { useLingui } from "@lingui/react/macro";
import { Group, Modal, ScrollArea, Stack, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { create } from "zustand";
import { useMe } from "../api/session";
import { useRegistry } from "../keyboard/registry";
import { Keys } from "../keyboard/Sheet";
import { useShortcut } from "../keyboard/useShortcut";
import { useProjects } from "../projects/queries";
import { addressOf, type Kind } from "../search/hits";
import { LEAST_LETTERS, useHits } from "../search/queries";
import classes from "./CommandPalette.module.css";

const usePalette = create<{ opened: boolean }>(() => ({ opened: false }));
export const openPalette = () => usePalette.setState({ opened: true });

interface Command {
  id: string;
  title: string;
  hint: string;
  keys?: string;
  run: () => void;
}

/** Go anywhere and do anything of this page by typing a few letters of it. */
export function CommandPalette() {
  const { t } = useLingui();
  const { opened } = usePalette();
  const close = () => usePalette.setState({ opened: false });
  useShortcut({
    id: "studio.palette",
    scope: t`Everywhere`,
    title: t`Search and commands`,
    keys: "Mod+K",
    inFields: true,
    run: openPalette,
  });
  return (
    <Modal
      opened={opened}
      onClose={close}
      withCloseButton={false}
      size="lg"
      yOffset="10vh"
      padding="xs"
      styles={{ header: { minHeight: 0, padding: 0 }, body: { padding: "var(--mantine-spacing-xs)" } }}
      title={<span className="visually-hidden">{t`Search and commands`}</span>}
    >
      {opened && <Palette close={close} />}
    </Modal>
  );
}

function Palette({ close }: { close: () => void }) {
  const { t } = useLingui();
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const commands = useCommands();
  const found = [...matching(commands, words).slice(0, 40), ...useFound(words)];
  const chosen = found[Math.min(at, found.length - 1)];
  const run = (command: Command | undefined) => {
    close();
    command?.run();
  };
  const onKey = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt((at + 1) % Math.max(1, found.length));
    else if (event.key === "ArrowUp") setAt((at + found.length - 1) % Math.max(1, found.length));
    else if (event.key === "Enter") run(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <Stack gap="xs">
      <TextInput
        data-autofocus
        role="combobox"
        aria-expanded
        aria-controls="palette-results"
        aria-activedescendant={chosen ? `palette-${chosen.id}` : undefined}
        aria-label={t`Search and commands`}
        placeholder={t`Where to, or what to do?`}
        value={words}
        onChange={(event) => {
          setWords(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      <ScrollArea.Autosize mah="50vh">
        <div id="palette-results" role="listbox" aria-label={t`Results`}>
          {found.map((command) => (
            <UnstyledButton
              key={command.id}
              id={`palette-${command.id}`}
              role="option"
              aria-selected={command === chosen}
              className={classes.row}
              tabIndex={-1}
              onClick={() => run(command)}
            >
              <Group justify="space-between" wrap="nowrap">
                <Text size="sm" truncate>
                  {command.title}
                </Text>
                <Group gap="xs" wrap="nowrap">
                  <Text size="xs" className="quiet">
                    {command.hint}
                  </Text>
                  {command.keys && <Keys keys={command.keys} />}
                </Group>
              </Group>
            </UnstyledButton>
          ))}
          {found.length === 0 && (
            <Text size="sm" className="quiet" p="sm">
              {t`Nothing found.`}
            </Text>
          )}
        </div>
      </ScrollArea.Autosize>
    </Stack>
  );
}

function matching(commands: Command[], words: string): Command[] {
  const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
  return commands.filter((command) =>
    parts.every((part) => `${command.title} ${command.hint}`.toLowerCase().includes(part)),
  );
}

/** What is called so anywhere in the user's projects, and a way to all of it. */
function useFound(words: string): Command[] {
  const { t } = useLingui();
  const navigate = useNavigate();
  const text = words.trim();
  const { data } = useHits(text);
  if (text.length < LEAST_LETTERS) return [];
  const names: Partial<Record<Kind, string>> = {
    dataset: t`Dataset`,
    label: t`Label`,
    image: t`Image`,
    snapshot: t`Snapshot`,
    model: t`Model`,
    training: t`Training`,
  };
  const hits = (data ?? []).flatMap(({ kind, hits }) =>
    hits.flatMap((hit): Command[] => {
      const [name, address] = [names[kind], addressOf(kind, hit)];
      if (!name || !address) return [];
      const hint = `${name} · ${hit.project_name}`;
      return [{ id: `hit-${hit.id}`, title: hit.name, hint, run: () => void navigate({ to: address }) }];
    }),
  );
  const all: Command = {
    id: "search-all",
    title: t`Everything called “${text}”`,
    hint: t`Search`,
    run: () => void navigate({ to: "/search", search: { q: text } }),
  };
  return [...hits, all];
}

function useCommands(): Command[] {
  const { t } = useLingui();
  const navigate = useNavigate();
  const me = useMe();
  const { project } = useParams({ strict: false });
  const { data: projects } = useProjects();
  const { active, own } = useRegistry();
  const go = (to: string) => () => void navigate({ to });
  const places: [string, string][] = project
    ? [
        [t`Overview`, ""],
        [t`Images`, "/images"],
        [t`Label images`, "/label"],
        [t`Review`, "/review"],
        [t`Doubtful labels`, "/review/suspects"],
        [t`Duplicates`, "/review/duplicates"],
        [t`Train a model`, "/trainings/new"],
        [t`Trainings`, "/trainings"],
        [t`Models`, "/models"],
        [t`Labels`, "/labels"],
        [t`Datasets`, "/datasets"],
        [t`Import`, "/import"],
        [t`Settings`, "/settings"],
        [t`Webhooks`, "/settings/webhooks"],
      ]
    : [];
  return [
    ...places.map(([title, path]) => ({
      id: `place-${path}`,
      title,
      hint: t`Page`,
      run: go(`/projects/${project}${path}`),
    })),
    { id: "place-keys", title: t`Keys`, hint: t`Page`, run: go("/help/keys") },
    { id: "place-search", title: t`Search`, hint: t`Page`, run: go("/search") },
    { id: "place-account", title: t`Account`, hint: t`Page`, run: go("/account") },
    ...(me.is_staff ? [{ id: "place-system", title: t`System`, hint: t`Page`, run: go("/system") }] : []),
    ...(projects ?? []).map(({ id, name }) => ({
      id,
      title: name,
      hint: t`Project`,
      run: go(`/projects/${id}`),
    })),
    ...active
      .filter(({ hidden, id }) => !hidden && id !== "studio.palette")
      .map((shortcut) => ({
        id: `action-${shortcut.id}`,
        title: shortcut.title,
        hint: shortcut.scope,
        keys: (own[shortcut.id] ?? shortcut.keys)[0],
        run: shortcut.run,
      })),
  ];
}
