import { useLingui } from "@lingui/react/macro";

/** What a person calls a kind of background work. */
export function useKindNames(): Record<string, string> {
  const { t } = useLingui();
  return {
    comparison: t`Comparison of models`,
    custom_vision_import: t`Copy from Custom Vision`,
    duplicates: t`Search for duplicates`,
    evaluation: t`Evaluation`,
    explanation: t`Explanations`,
    export: t`Export`,
    feature_map: t`Map of the images`,
    images_bulk: t`Change of many images`,
    import: t`Import`,
    label_removal: t`Removal of a label`,
    model_export: t`Export of a model`,
    model_import: t`Reading a model`,
    model_publish: t`Publishing a model`,
    prediction: t`Predictions`,
    preflight: t`Estimate of a training`,
    samples: t`Drawing sample images`,
    search: t`Search for better settings`,
    snapshot: t`Snapshot`,
    snapshot_and_search: t`Snapshot and search`,
    snapshot_and_training: t`Snapshot and training`,
    suggestions: t`What to label next`,
    suspects: t`Search for wrong labels`,
    training: t`Training`,
    undo: t`Undo of a change`,
    video_proxy: t`Version of a video for browsers`,
    video_frames: t`Frames of a video`,
    video_survey: t`Reading a video`,
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
