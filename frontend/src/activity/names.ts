import { useLingui } from "@lingui/react/macro";

/** What a person calls a kind of background work. */
export function useKindNames(): Record<string, string> {
  const { t } = useLingui();
  return {
    import: t`Import`,
    export: t`Export`,
    duplicates: t`Search for duplicates`,
    training: t`Training`,
    search: t`Search for better settings`,
    evaluation: t`Evaluation`,
    predictions: t`Predictions`,
    frames: t`Frames of a video`,
    suggestions: t`What to label next`,
    suspects: t`Search for wrong labels`,
    explanations: t`Explanations`,
    publish: t`Publishing a model`,
    model: t`Reading a model`,
  };
}

export function useStateNames(): Record<string, string> {
  const { t } = useLingui();
  return {
    queued: t`waiting`,
    running: t`running`,
    succeeded: t`done`,
    failed: t`failed`,
    cancelled: t`cancelled`,
  };
}
