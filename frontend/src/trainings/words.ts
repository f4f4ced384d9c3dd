import { useLingui } from "@lingui/react/macro";
import type { PresetName } from "./form";

/** What a training does in a phase, in words. */
export function usePhaseNames(): Record<string, string> {
  const { t } = useLingui();
  return {
    preparing: t`Preparing the network`,
    decoding: t`Reading the images`,
    features: t`Looking at every image with the pretrained network`,
    training: t`Learning from the images`,
    head: t`Learning the new last layer`,
    fine_tuning: t`Fine-tuning the whole network`,
    evaluating: t`Checking on images it has never seen`,
    export: t`Writing the files of the model`,
    exporting: t`Writing the files of the model`,
  };
}

export function usePresetNames(): Record<PresetName, { title: string; text: string }> {
  const { t } = useLingui();
  return {
    quick: { title: t`Quick`, text: t`A first answer: a classifier in a minute, a detector in eight.` },
    balanced: { title: t`Balanced`, text: t`Good results in at most half an hour. Right for most projects.` },
    best: { title: t`Best`, text: t`More epochs on larger images. Takes several times as long.` },
  };
}

export function useFigureNames(): Record<string, string> {
  const { t } = useLingui();
  return {
    val_accuracy: t`Accuracy`,
    val_balanced_accuracy: t`Balanced accuracy`,
    val_ap50: t`AP50`,
  };
}

/** Names of the settings; those that are not here go by the name that the HTTP interface gives them. */
export function useSettingNames(): Record<string, string> {
  const { t } = useLingui();
  return {
    architecture: t`Network`,
    resize: t`How images are resized`,
    weights: t`Pretrained weights`,
    image_size: t`Image size`,
    batch_size: t`Batch size`,
    epochs: t`Epochs`,
    fine_tune: t`Fine-tuning`,
    frozen_epochs: t`Epochs of the heads alone`,
    fine_tune_epochs: t`Epochs of fine-tuning`,
    learning_rate: t`Learning rate`,
    fine_tune_learning_rate: t`Learning rate of fine-tuning`,
    weight_decay: t`Weight decay`,
    dropout: t`Dropout`,
    label_smoothing: t`Label smoothing`,
    augmentation: t`Augmentation`,
    flip: t`Mirroring`,
    rotation: t`Rotation`,
    zoom: t`Zoom`,
    contrast: t`Contrast`,
    class_weights: t`Weights of labels`,
    early_stopping: t`Early stopping`,
    anchor_sizes: t`Sizes of anchors`,
    anchor_ratios: t`Ratios of anchors`,
    mixed_precision: t`Mixed precision`,
    seed: t`Seed`,
    preset: t`Preset`,
    minutes: t`Minutes`,
    max_minutes: t`Minutes at most`,
  };
}
