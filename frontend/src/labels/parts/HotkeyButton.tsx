import { Trans, useLingui } from "@lingui/react/macro";
import { Kbd, Text, UnstyledButton } from "@mantine/core";
import { type KeyboardEvent, useState } from "react";
import type { Label } from "../../api/types";

interface Props {
  label: Label;
  /** The key that it has now, chosen or by its place. */
  current: string | undefined;
  change: (hotkey: string | null) => void;
}

/** Press it, then the key that gives the label; Backspace gives the choice back. */
export function HotkeyButton({ label, current, change }: Props) {
  const { t } = useLingui();
  const [isWaiting, setIsWaiting] = useState(false);
  const listen = (event: KeyboardEvent) => {
    if (!isWaiting || event.key === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    if (/^[0-9a-z]$/i.test(event.key)) change(event.key.toLowerCase());
    else if (event.key === "Backspace") change(null);
    else if (event.key !== "Escape") return;
    setIsWaiting(false);
  };
  return (
    <UnstyledButton
      className="key-hint"
      aria-label={
        current
          ? t`Key of ${label.name}: ${current}. Press to choose another.`
          : t`Choose a key for ${label.name}`
      }
      onClick={() => setIsWaiting(!isWaiting)}
      onKeyDown={listen}
      onBlur={() => setIsWaiting(false)}
    >
      {isWaiting ? (
        <Text size="xs" className="quiet">
          <Trans>Press a key…</Trans>
        </Text>
      ) : (
        <Kbd size="xs">{current ?? "+"}</Kbd>
      )}
    </UnstyledButton>
  );
}
