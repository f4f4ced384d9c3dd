import { useLingui } from "@lingui/react/macro";
import { useMantineColorScheme } from "@mantine/core";
import { useEffect } from "react";
import { useMe } from "../api/session";
import { activateLanguage, isLanguage } from "../app/language";
import { useRegistry } from "../keyboard/registry";
import type { Preferences } from "./pending";
import { adoptPreferences, usePreferences } from "./preferences";

/** Gives the studio the look, language and keys that its user chose in this browser or in another one. */
export function usePreferenceSync(): void {
  const me = useMe();
  const { i18n } = useLingui();
  const { setColorScheme } = useMantineColorScheme();
  const { theme, language, keys } = usePreferences();
  const kept = JSON.stringify(me.preferences);
  useEffect(() => {
    adoptPreferences(String(me.id), JSON.parse(kept) as Preferences);
  }, [me.id, kept]);
  useEffect(() => {
    if (theme) setColorScheme(theme);
  }, [theme, setColorScheme]);
  useEffect(() => {
    if (language && isLanguage(language) && language !== i18n.locale) void activateLanguage(language);
  }, [language, i18n]);
  const own = JSON.stringify(keys ?? {});
  useEffect(() => {
    useRegistry.setState({ own: JSON.parse(own) as Record<string, string[]> });
  }, [own]);
}
