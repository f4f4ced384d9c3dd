import { useLingui } from "@lingui/react/macro";
import type { StageName } from "./files";

/** The stages of a model, and what each means. */
export function useStageWords(): Record<StageName, { name: string; meaning: string }> {
  const { t } = useLingui();
  return {
    none: { name: t`no stage`, meaning: t`Nobody has said yet what it is for.` },
    staging: { name: t`staging`, meaning: t`It is being tried before it is used.` },
    production: {
      name: t`production`,
      meaning: t`It is the one to use. What is in production now is archived in the same step; it cannot be deleted while it is there.`,
    },
    archived: {
      name: t`archived`,
      meaning: t`It is kept and is not used any more. Devices that run it go on until another model is rolled out.`,
    },
  };
}
