import { expect, it } from "vitest";
import { changedSettings, emptyForm, epochsOf, inSizeOf, problemOf, requestOf, type Setting } from "./form";

const setting = (name: string, kind: Setting["kind"], more: Partial<Setting> = {}): Setting => ({
  name,
  kind,
  choices: [],
  minimum: null,
  maximum: null,
  help: "",
  ...more,
});
const settings = [
  setting("epochs", "integer", { minimum: 1, maximum: 1000 }),
  setting("dropout", "number", { minimum: 0, maximum: 0.9 }),
  setting("fine_tune", "boolean"),
  setting("augmentation", "choice", { choices: ["none", "light"] }),
  setting("anchor_sizes", "numbers", { minimum: 0.5, maximum: 16 }),
];

it("sends what was set and leaves the rest to the preset", () => {
  expect(requestOf("p", emptyForm(null), settings)).toEqual({ project: "p", preset: "balanced" });
  const form = {
    ...emptyForm("m"),
    minutes: 5,
    settings: {
      epochs: "7",
      dropout: " ",
      fine_tune: "false",
      augmentation: "none",
      anchor_sizes: "1, 2.5,",
    },
  };
  expect(requestOf("p", form, settings)).toEqual({
    project: "p",
    preset: "balanced",
    minutes: 5,
    base_model: "m",
    epochs: 7,
    fine_tune: false,
    augmentation: "none",
    anchor_sizes: [1, 2.5],
  });
});

it("goes on in the size of the earlier detector, unless another one is typed or it is cleared", () => {
  const base = { task: "detection", input_width: 160, input_height: 128 };
  const sizeOf = (settings: Record<string, string>, from?: typeof base) =>
    inSizeOf({ ...emptyForm("m"), settings }, from).settings.image_size;
  expect(sizeOf({}, base)).toBe("160");
  expect(sizeOf({ image_size: "" }, base)).toBe("");
  expect(sizeOf({ image_size: "320" }, base)).toBe("320");
  expect(sizeOf({}, { ...base, task: "classification" })).toBeUndefined();
  expect(sizeOf({})).toBeUndefined();
});

it("leaves out what a project of the other task kept in the form", () => {
  const form = { ...emptyForm(null), settings: { frozen_epochs: "3" } };
  expect(requestOf("p", form, settings)).not.toHaveProperty("frozen_epochs");
});

it("knows the bounds of the schema", () => {
  const [epochs, dropout, , , sizes] = settings as [Setting, Setting, Setting, Setting, Setting];
  expect([
    problemOf(epochs, "x"),
    problemOf(epochs, "1.5"),
    problemOf(epochs, "0"),
    problemOf(epochs, "1001"),
  ]).toEqual(["number", "whole", "low", "high"]);
  expect([problemOf(epochs, ""), problemOf(epochs, "12"), problemOf(dropout, "0.4")]).toEqual([
    null,
    null,
    null,
  ]);
  expect([problemOf(sizes, "1 2"), problemOf(sizes, "1 20")]).toEqual([null, "high"]);
});

it("counts as changed what is typed and other than the preset has it", () => {
  const usual = { epochs: 29, image_size: 320, anchor_sizes: null };
  const typed = { epochs: "4", image_size: " 320 ", batch_size: "", anchor_sizes: "1, 2" };
  expect(changedSettings({ ...emptyForm(null), settings: typed }, usual)).toEqual(["epochs", "anchor_sizes"]);
  expect(changedSettings(emptyForm(null), usual)).toEqual([]);
});

it("counts the epochs of a preset without a head that is solved at once", () => {
  expect(epochsOf({ epochs: 25 })).toBe(25);
  expect(epochsOf({ epochs: 60, fine_tune: false, fine_tune_epochs: 10, head_solver: "adamw" })).toBe(60);
  expect(epochsOf({ epochs: 1, fine_tune: true, fine_tune_epochs: 20, head_solver: "lbfgs" })).toBe(20);
  expect(epochsOf({ epochs: 1, fine_tune: false, head_solver: "lbfgs" })).toBe(0);
});
