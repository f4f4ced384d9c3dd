import { useLingui } from "@lingui/react/macro";
import { Select, TextInput } from "@mantine/core";
import { problemOf, type Setting } from "../form";
import { useSettingNames } from "../words";

interface Props {
  setting: Setting;
  value: string;
  /** What it is when it is left open. */
  usual: unknown;
  /** What the server says against it. */
  refusal: string | undefined;
  titles?: Record<string, string>;
  onChange: (value: string) => void;
}

/** One setting, drawn from what the server says of it: its kind, its bounds, its choices and its help. */
export function SettingField({ setting, value, usual, refusal, titles = {}, onChange }: Props) {
  const { t, i18n } = useLingui();
  const names = useSettingNames();
  const { name, kind, choices, help, minimum, maximum } = setting;
  const problem = problemOf(setting, value);
  const number = (bound: number | null) =>
    bound === null ? "" : bound.toLocaleString(i18n.locale, { maximumSignificantDigits: 6 });
  const problems = {
    number: t`This is no number.`,
    whole: t`A whole number, please.`,
    low: t`At least ${number(minimum)}.`,
    high: t`At most ${number(maximum)}.`,
  };
  const shared = {
    label: names[name] ?? name,
    description: help,
    error: problem ? problems[problem] : refusal,
  };
  if (kind === "choice" || kind === "boolean") {
    const texts = kind === "boolean" ? ["true", "false"] : choices;
    const words: Record<string, string> = { true: t`yes`, false: t`no`, ...titles };
    const shown = (text: string) => words[text] ?? text.replaceAll("_", " ");
    return (
      <Select
        {...shared}
        clearable
        searchable={texts.length > 8}
        placeholder={usual === undefined || usual === null ? t`automatic` : shown(String(usual))}
        data={texts.map((text) => ({ value: text, label: shown(text) }))}
        value={value || null}
        onChange={(chosen) => onChange(chosen ?? "")}
      />
    );
  }
  return (
    <TextInput
      {...shared}
      inputMode="decimal"
      placeholder={usual === undefined || usual === null ? t`automatic` : String(usual)}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
