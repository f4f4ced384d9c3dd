import { owner } from "../api/owner";
import { emptyForm, type TrainForm } from "./form";

/** Of whom, of which project, and from which model it starts: each has its own. */
const place = (project: string, base: string | null) => `studio.train.${owner()}.${project}.${base ?? ""}`;

/** The form as it was left in this tab, for a reload takes nothing away that somebody has typed; else an empty one. */
export function keptForm(project: string, base: string | null): TrainForm {
  const empty = emptyForm(base);
  try {
    const kept = JSON.parse(sessionStorage.getItem(place(project, base)) ?? "{}") as Partial<TrainForm>;
    return { ...empty, ...kept, settings: { ...kept.settings } };
  } catch {
    return empty;
  }
}

export function keepForm(project: string, base: string | null, form: TrainForm): void {
  try {
    sessionStorage.setItem(place(project, base), JSON.stringify(form));
  } catch {
    // A full or forbidden storage costs the form after a reload, nothing else.
  }
}

/** The training has started: the next one begins with an empty form. */
export function forgetForm(project: string, base: string | null): void {
  try {
    sessionStorage.removeItem(place(project, base));
  } catch {
    // As above.
  }
}

/** Whether something is set that only the expert settings show. */
export function hasExpertSettings({ name, dataset, base, settings }: TrainForm): boolean {
  return Boolean(name || dataset || base) || Object.values(settings).some(Boolean);
}
