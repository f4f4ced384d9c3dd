import { msg } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import type { Action } from "./remap";

/** Every action that has keys, by the page where it works: the page of keys shows also those of pages that are not open. */
const PAGES = {
  everywhere: {
    title: msg`Everywhere`,
    actions: [
      ["studio.palette", msg`Search and commands`, "Mod+K"],
      ["studio.keys", msg`Show the keys of this page`, "?"],
      ["project.undo", msg`Undo`, "Mod+Z"],
      ["project.redo", msg`Redo`, "Mod+Shift+Z", "Mod+Y"],
    ],
  },
  gallery: {
    title: msg`Gallery`,
    actions: [
      ["gallery.right", msg`Next image`, "ArrowRight"],
      ["gallery.left", msg`Previous image`, "ArrowLeft"],
      ["gallery.down", msg`Row below`, "ArrowDown"],
      ["gallery.up", msg`Row above`, "ArrowUp"],
      ["gallery.home", msg`First image`, "Home"],
      ["gallery.end", msg`Last image`, "End"],
      ["gallery.open", msg`Open the image`, "Enter"],
      ["gallery.choose", msg`Choose the image`, "Space", "X"],
      ["gallery.all", msg`Choose all images`, "Mod+A"],
      ["gallery.none", msg`Choose nothing`, "Escape"],
    ],
  },
  annotator: {
    title: msg`Annotator`,
    actions: [
      ["annotator.next", msg`Next image`, "N", "PageDown", "ArrowRight"],
      ["annotator.previous", msg`Previous image`, "P", "PageUp", "ArrowLeft"],
      ["annotator.accept", msg`Accept the suggestions and go on`, "Enter"],
      ["annotator.close", msg`Back to the images`, "Escape"],
      ["annotator.copy", msg`Copy the annotations of the previous image`, "C"],
      ["annotator.tool.square", msg`Draw boxes`, "B"],
      ["annotator.tool.pointer", msg`Select boxes`, "V"],
      ["annotator.add", msg`New box in the middle`, "A"],
      ["annotator.delete", msg`Remove the box`, "Delete", "Backspace"],
      ["annotator.cycle", msg`Next box`, "Tab"],
      ["annotator.back", msg`Previous box`, "Shift+Tab"],
      ["annotator.hide", msg`Hide or show all boxes`, "H"],
      ["annotator.crosshair", msg`Lines through the pointer`, "G"],
      ["annotator.fit", msg`Show the whole image`, "F"],
      ["annotator.in", msg`Zoom in`, "+", "="],
      ["annotator.out", msg`Zoom out`, "-"],
    ],
  },
  labeling: {
    title: msg`Labelling`,
    actions: [
      ["labeling.skip", msg`Skip this image`, "Space", "ArrowRight"],
      ["labeling.none", msg`None of the labels`, "N"],
      ["labeling.back", msg`The image before`, "ArrowLeft", "Backspace"],
      ["labeling.guess", msg`Accept the guess`, "Enter"],
      ["labeling.find", msg`Find a label`, "/"],
    ],
  },
  review: {
    title: msg`Review`,
    actions: [
      ["review.take", msg`Accept the suggestions`, "Enter"],
      ["review.reject", msg`Reject the suggestions`, "X"],
      ["review.skip", msg`Leave it for later`, "Space", "ArrowRight"],
    ],
  },
  video: {
    title: msg`Video`,
    actions: [
      ["video.back", msg`Previous frame`, ",", "ArrowLeft"],
      ["video.on", msg`Next frame`, ".", "ArrowRight"],
      ["video.play", msg`Play or pause`, "Space", "K"],
      ["video.secondBack", msg`A second back`, "J"],
      ["video.secondOn", msg`A second on`, "L"],
    ],
  },
  train: {
    title: msg`Train`,
    actions: [["train.start", msg`Start the training`, "Mod+Enter"]],
  },
  training: {
    title: msg`Training`,
    actions: [["training.cancel", msg`Cancel the training`, "Shift+C"]],
  },
  model: {
    title: msg`Model`,
    actions: [["model.try", msg`Choose an image to try`, "O"]],
  },
  try: {
    title: msg`Try`,
    actions: [["try.choose", msg`Choose an image to try`, "O"]],
  },
  quality: {
    title: msg`Images behind a number`,
    actions: [
      ["quality.next", msg`Next image`, "ArrowRight", "N"],
      ["quality.previous", msg`Previous image`, "ArrowLeft", "P"],
      ["quality.edit", msg`Open in the annotator`, "E"],
    ],
  },
  live: {
    title: msg`Live guesses`,
    actions: [
      ["live.right", msg`Next image`, "ArrowRight"],
      ["live.left", msg`Previous image`, "ArrowLeft"],
      ["live.down", msg`Row below`, "ArrowDown"],
      ["live.up", msg`Row above`, "ArrowUp"],
      ["live.choose", msg`Choose the image or take it out`, "Space", "X"],
      ["live.confirm", msg`Confirm the chosen guesses`, "Enter"],
      ["live.open", msg`Open the image`, "O"],
      ["live.keep", msg`Keep as a model`, "Shift+K"],
    ],
  },
  map: {
    title: msg({ message: "Map", context: "of images" }),
    actions: [
      ["map.right", msg`Point to the right`, "ArrowRight"],
      ["map.left", msg`Point to the left`, "ArrowLeft"],
      ["map.down", msg`Point below`, "ArrowDown"],
      ["map.up", msg`Point above`, "ArrowUp"],
      ["map.toggle", msg`Choose the image or take it out`, "Space", "X"],
      ["map.open", msg`Open the image`, "Enter", "O"],
      ["map.view", msg`Choose all images in view`, "A"],
      ["map.clear", msg`Choose none`, "Escape"],
      ["map.closer", msg`Zoom in`, "+"],
      ["map.farther", msg`Zoom out`, "-"],
      ["map.fit", msg`Show the whole map`, "Home"],
      ["map.lasso", msg`Draw a line around images`, "L"],
      ["map.hand", msg`Move the map`, "H"],
    ],
  },
  suspects: {
    title: msg`Doubtful labels`,
    actions: [
      ["suspects.keep", msg`Keep the label`, "Enter"],
      ["suspects.take", msg`Take the model's label`, "M"],
      ["suspects.remove", msg`Remove the box, or delete the image`, "X", "Delete"],
      ["suspects.skip", msg`Leave it for later`, "Space", "ArrowRight"],
      ["suspects.edit", msg`Open in the annotator`, "O"],
    ],
  },
  duplicates: {
    title: msg`Duplicates`,
    actions: [
      ["duplicates.next", msg`Next group`, "ArrowDown", "J"],
      ["duplicates.previous", msg`Group before`, "ArrowUp", "P"],
      ["duplicates.choose", msg`Choose the next copy to keep`, "ArrowRight"],
      ["duplicates.delete", msg`Delete all but the chosen copy`, "D"],
      ["duplicates.keep", msg`Keep all copies`, "K"],
      ["duplicates.group", msg`Put in one group`, "G"],
    ],
  },
} as const;

/** Tab moves the focus everywhere else, so it is no key to give away. */
const FIXED = new Set(["annotator.cycle", "annotator.back"]);

export const actionIds: ReadonlySet<string> = new Set(
  Object.values(PAGES).flatMap(({ actions }) => actions.map(([id]) => id)),
);

export interface Part {
  page: string;
  title: string;
  actions: Action[];
}

/** The actions by page, in the user's language. */
export function useCatalog(): Part[] {
  const { i18n } = useLingui();
  return Object.entries(PAGES).map(([page, { title, actions }]) => ({
    page,
    title: i18n._(title),
    actions: actions.map(
      ([id, name, ...keys]): Action => ({ id, page, title: i18n._(name), keys, isFixed: FIXED.has(id) }),
    ),
  }));
}
