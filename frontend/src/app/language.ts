import { i18n } from "@lingui/core";

export const languages = { en: "English", de: "Deutsch", "zh-Hans": "简体中文" } as const;
export type Language = keyof typeof languages;

const catalogs: Record<Language, () => Promise<{ messages: Record<string, string> }>> = {
  en: () => import("../i18n/locales/en/messages.po"),
  de: () => import("../i18n/locales/de/messages.po"),
  "zh-Hans": () => import("../i18n/locales/zh-Hans/messages.po"),
};

export function isLanguage(value: string): value is Language {
  return value in languages;
}

/** The language that was chosen here, or the best of those the browser asks for. */
export function preferredLanguage(chosen: string | null, wanted: readonly string[]): Language {
  if (chosen && isLanguage(chosen)) return chosen;
  for (const tag of wanted) {
    if (tag.startsWith("zh")) return "zh-Hans";
    const short = tag.split("-")[0];
    if (short && isLanguage(short)) return short;
  }
  return "en";
}

export async function activateLanguage(language: Language): Promise<void> {
  const { messages } = await catalogs[language]();
  i18n.loadAndActivate({ locale: language, messages });
  document.documentElement.lang = language;
  localStorage.setItem("studio.language", language);
}
