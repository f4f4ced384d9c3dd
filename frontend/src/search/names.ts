import { useLingui } from "@lingui/react/macro";
import type { Kind } from "./hits";

export function useKindNames(): Record<Kind, string> {
  const { t } = useLingui();
  return {
    project: t`Projects`,
    dataset: t`Datasets`,
    label: t`Labels`,
    image: t`Images`,
    snapshot: t`Snapshots`,
    model: t`Models`,
    training: t`Trainings`,
    video: t`Videos`,
  };
}
