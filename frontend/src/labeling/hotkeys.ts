import { useLingui } from "@lingui/react/macro";
import { useEffect } from "react";
import type { Label } from "../api/types";
import { register } from "../keyboard/registry";

const DIGITS = [..."1234567890"];

type Keyed = Pick<Label, "id" | "name"> & { hotkey?: string | null };

/** The key of each label: the one that was set, the digit that is its name, or one by its place. */
export function hotkeys(labels: readonly Keyed[]): Map<string, string> {
  const taken = new Set(labels.map(({ hotkey }) => hotkey?.toUpperCase()).filter(Boolean));
  const free = new Set(DIGITS.filter((digit) => !taken.has(digit)));
  const named = new Map(
    labels.flatMap(({ id, name, hotkey }): [string, string][] =>
      !hotkey && free.delete(name) ? [[id, name]] : [],
    ),
  );
  const rest = [...free];
  return new Map(
    labels.flatMap(({ id, hotkey }): [string, string][] => {
      const key = hotkey?.toUpperCase() || named.get(id) || rest.shift();
      return key ? [[id, key]] : [];
    }),
  );
}

export function hotkeyOf(labels: readonly Label[], id: string): string | undefined {
  return hotkeys(labels).get(id);
}

/** Gives each label its key for as long as the component lives. */
export function useLabelKeys(labels: readonly Label[], isOn: boolean, act: (label: Label) => void): void {
  const { t } = useLingui();
  const scope = t`Labels`;
  const signature = labels.map((label) => `${label.id}${label.name}`).join();
  useEffect(() => {
    if (!isOn) return undefined;
    const keys = hotkeys(labels);
    const undo = labels.flatMap((label) => {
      const key = keys.get(label.id);
      return key
        ? [
            register({
              id: `label.${label.id}`,
              scope,
              title: label.name,
              keys: [key],
              run: () => act(label),
            }),
          ]
        : [];
    });
    return () => {
      for (const one of undo) one();
    };
  }, [signature, isOn, scope, act]);
}
