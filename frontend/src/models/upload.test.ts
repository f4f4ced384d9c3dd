import { describe, expect, it } from "vitest";
import { guessedLabels, labelsOf, type Said, uploadBody } from "./upload";

const said: Said = {
  name: "mine",
  labels: "a\nb",
  width: "",
  height: "",
  channels: "rgb",
  scaling: "0_1",
  resize: "stretch",
  anchors: " ",
};

describe("what is sent with a model", () => {
  it("leaves out what the file says itself", () => {
    expect(uploadBody("p", "classification", "u", said)).toEqual({
      project: "p",
      upload: "u",
      name: "mine",
      labels: "a\nb",
      channels: "rgb",
      scaling: "0_1",
      resize: "stretch",
    });
  });

  it("has the size as numbers", () => {
    expect(
      uploadBody("p", "classification", "u", { ...said, name: " ", width: "224", height: "192" }),
    ).not.toHaveProperty("name");
    expect(uploadBody("p", "classification", "u", { ...said, width: "224", height: "192" })).toMatchObject({
      input_width: 224,
      input_height: 192,
    });
  });
});

it("a detector has no channels and scaling, and anchors only where they were given", () => {
  const body = uploadBody("p", "detection", "u", { ...said, anchors: "[anchor_parameters]" });
  expect(body).toEqual({
    project: "p",
    upload: "u",
    name: "mine",
    labels: "a\nb",
    anchors: "[anchor_parameters]",
  });
});

it("labels are numbered by their names, as most programs do", () => {
  expect(guessedLabels(["dog", "Cat", "bird"])).toBe("Cat\nbird\ndog");
});

it("what a model has suggested is no label of the image", () => {
  const annotation = { id: "1", box: null, confirmed: true };
  const image = {
    annotations: [
      { ...annotation, label: "a" },
      { ...annotation, label: "b", confirmed: false },
    ],
  } as never;
  expect(labelsOf(image)).toEqual(["a"]);
});
