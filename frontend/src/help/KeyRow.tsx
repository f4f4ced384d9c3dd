import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Button, Group, Stack, Text } from "@mantine/core";
import { type KeyboardEvent, useState } from "react";
import { pressed, readable } from "../keyboard/keys";
import { type Action, assigned, isUsable, keysNow, rivals } from "../keyboard/remap";
import { Keys } from "../keyboard/Sheet";
import { prefer } from "../preferences/preferences";
import { Icon } from "../ui/Icon";

interface Props {
  action: Action;
  actions: Action[];
  own: Record<string, string[]>;
  doubled: Action[];
}

type Change = Record<string, string[]>;

/** An action with its keys. Another one is pressed; where an action of the same page has it, both are named first. */
export function KeyRow({ action, actions, own, doubled }: Props) {
  const { t } = useLingui();
  const [isListening, setIsListening] = useState(false);
  const [asked, setAsked] = useState<string | null>(null);
  const [isRefused, setIsRefused] = useState(false);
  const keys = keysNow(action, own);
  const taken = asked ? rivals(actions, own, action, asked) : [];
  const give = (key: string) => {
    prefer({ keys: assigned(actions, own, action, key) as Change });
    setAsked(null);
  };
  const listen = (event: KeyboardEvent) => {
    if (!isListening || event.key === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    if (["Control", "Shift", "Alt", "Meta"].includes(event.key)) return;
    setIsListening(false);
    const key = pressed(event);
    if (event.key === "Escape" && !keys.includes("Escape")) return;
    if (!isUsable(key)) return setIsRefused(true);
    if (rivals(actions, own, action, key).length > 0) setAsked(key);
    else give(key);
  };
  const begin = () => {
    setAsked(null);
    setIsRefused(false);
    setIsListening(!isListening);
  };
  const names = (list: Action[]) => list.map(({ title }) => `“${title}”`).join(", ");
  return (
    <Stack gap={2} py={3} data-action={action.id}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" flex="1 1 150px">
          {action.title}
        </Text>
        <Group gap={6} justify="flex-end" ml="auto">
          {keys.length === 0 && (
            <Text size="xs" className="quiet">
              <Trans>no key</Trans>
            </Text>
          )}
          {keys.map((key) => (
            <Keys key={key} keys={key} />
          ))}
          {action.id in own && (
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t`Reset the keys of ${action.title}`}
              onClick={() => prefer({ keys: { [action.id]: null } as unknown as Change })}
            >
              <Icon name="arrow-back-up" size={15} />
            </ActionIcon>
          )}
          {action.isFixed ? null : (
            <Button
              size="compact-xs"
              variant={isListening ? "filled" : "default"}
              miw={92}
              aria-label={isListening ? t`Press a key…` : t`Change the keys of ${action.title}`}
              onClick={begin}
              onKeyDown={listen}
              onBlur={() => setIsListening(false)}
            >
              {isListening ? <Trans>Press a key…</Trans> : <Trans>Change</Trans>}
            </Button>
          )}
        </Group>
      </Group>
      {isRefused && (
        <Text size="xs" c="var(--studio-bad)" role="alert">
          <Trans>The browser keeps this key for itself. Choose another one.</Trans>
        </Text>
      )}
      {asked && (
        <Group gap="xs" role="alert">
          <Text size="xs" c="var(--studio-warn)">
            <Trans>
              {readable(asked).join(" ")} is the key of {names(taken)}.
            </Trans>
          </Text>
          <Button size="compact-xs" onClick={() => give(asked)}>
            <Trans>Use it here instead</Trans>
          </Button>
          <Button size="compact-xs" variant="default" onClick={() => setAsked(null)}>
            <Trans>Leave it</Trans>
          </Button>
        </Group>
      )}
      {doubled.length > 0 && !asked && (
        <Text size="xs" c="var(--studio-warn)">
          <Trans>It has the same key as {names(doubled)}.</Trans>
        </Text>
      )}
    </Stack>
  );
}
