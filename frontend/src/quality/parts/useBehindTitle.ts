import { useLingui } from "@lingui/react/macro";
import type { Task } from "../../api/types";
import { formatPercent } from "../../ui/numbers";
import type { Behind } from "../search";

/** What the images of a panel have in common, in words. */
export function useBehindTitle(behind: Behind, task: Task): string {
  const { t, i18n } = useLingui();
  const { outcome, label, predicted, min, max, scoreOf, threshold } = behind;
  if (min !== undefined && max !== undefined) {
    const [low, high] = [formatPercent(min, i18n.locale), formatPercent(max, i18n.locale)];
    if (scoreOf !== undefined) return t`${scoreOf}, ${low} to ${high} sure`;
    return outcome === "wrong" ? t`Wrong, and ${low} to ${high} sure` : t`${low} to ${high} sure`;
  }
  if (scoreOf !== undefined && min !== undefined)
    return t`${scoreOf}, from a score of ${formatPercent(min, i18n.locale, 1)}`;
  if (predicted !== undefined && threshold !== undefined)
    return t`${predicted}, from a score of ${formatPercent(threshold, i18n.locale, 1)}`;
  if (outcome === "cell") {
    if (label === undefined) return t`${predicted ?? ""} where nothing is annotated`;
    if (predicted === undefined) return t`${label}, not found`;
    if (label === predicted) return t`${label}, named right`;
    return t`Annotated ${label}, the model said ${predicted}`;
  }
  if (outcome === "miss") return label === undefined ? t`Something was missed` : t`${label} was missed`;
  if (outcome === "false_positive")
    return predicted === undefined ? t`False alarms` : t`False alarms of ${predicted}`;
  if (outcome === "right") return t`All right`;
  if (outcome === "wrong") {
    if (predicted !== undefined) return t`Wrongly called ${predicted}`;
    if (label !== undefined) return t`${label}, named wrong`;
    return task === "classification" ? t`Named wrong` : t`Images with a mistake`;
  }
  return label === undefined ? t`All images` : t`All images with ${label}`;
}
