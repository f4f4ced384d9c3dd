import type { components } from "../api/schema";

export type TrainingRequest = components["schemas"]["TrainingRequestRequest"];
export type Setting = components["schemas"]["TrainingSetting"];
export type PresetName = components["schemas"]["PresetName"];

/** What the form of a training holds: texts as they are typed, and nothing for what is left to the preset. */
export interface TrainForm {
  preset: PresetName;
  /** How long it is to take; 0: as long as it takes, null: as the preset says. */
  minutes: number | null;
  name: string;
  dataset: string | null;
  base: string | null;
  settings: Record<string, string>;
}

export const emptyForm = (base: string | null): TrainForm => ({
  preset: "balanced",
  minutes: null,
  name: "",
  dataset: null,
  base,
  settings: {},
});

/**
 * The form of a detector that goes on from an earlier one: in its size, as long as nobody has typed another. The preset's may
 * be twice that, and the training take four times as long.
 */
export function inSizeOf(form: TrainForm, base: BaseSize | undefined): TrainForm {
  if (base?.task !== "detection" || form.settings.image_size !== undefined) return form;
  const size = String(Math.max(base.input_width, base.input_height));
  return { ...form, settings: { ...form.settings, image_size: size } };
}

interface BaseSize {
  task: string;
  input_width: number;
  input_height: number;
}

/** The request: only what was set, each as its kind wants it. */
export function requestOf(project: string, form: TrainForm, settings: Setting[]): TrainingRequest {
  const own = settings.flatMap(({ name, kind }) => {
    const text = form.settings[name]?.trim();
    return text ? [[name, asKind(kind, text)] as const] : [];
  });
  return {
    project,
    preset: form.preset,
    ...(form.minutes === null ? {} : { minutes: form.minutes }),
    ...(form.name.trim() ? { name: form.name.trim() } : {}),
    ...(form.dataset ? { dataset: form.dataset } : {}),
    ...(form.base ? { base_model: form.base } : {}),
    ...Object.fromEntries(own),
  };
}

/** The settings that are typed, and other than what the preset does by itself. */
export function changedSettings(form: TrainForm, usual: Record<string, unknown> | undefined): string[] {
  return Object.entries(form.settings).flatMap(([name, text]) => {
    const typed = text.trim();
    return typed && typed !== String(usual?.[name] ?? "") ? [name] : [];
  });
}

function asKind(kind: Setting["kind"], text: string): unknown {
  if (kind === "boolean") return text === "true";
  if (kind === "numbers") return numbersOf(text);
  return kind === "choice" ? text : Number(text);
}

const numbersOf = (text: string) =>
  text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);

/** What is wrong with a text before it is sent; null: nothing. */
export function problemOf(setting: Setting, text: string): "number" | "whole" | "low" | "high" | null {
  if (!text.trim() || setting.kind === "choice" || setting.kind === "boolean") return null;
  for (const value of setting.kind === "numbers" ? numbersOf(text) : [Number(text)]) {
    if (!Number.isFinite(value)) return "number";
    if (setting.kind === "integer" && !Number.isInteger(value)) return "whole";
    if (setting.minimum !== null && value < setting.minimum) return "low";
    if (setting.maximum !== null && value > setting.maximum) return "high";
  }
  return null;
}

type Chosen = Pick<
  components["schemas"]["ChosenSettings"],
  "epochs" | "fine_tune" | "fine_tune_epochs" | "head_solver"
>;

/** How many epochs a training has in all: a head that is solved at once has none, and fine-tuning adds its own. */
export function epochsOf({ epochs = 0, fine_tune, fine_tune_epochs = 0, head_solver }: Chosen): number {
  return (head_solver === "lbfgs" ? 0 : epochs) + (fine_tune ? fine_tune_epochs : 0);
}
