// @vitest-environment happy-dom
import { beforeEach, expect, it } from "vitest";
import { noteOwner } from "../api/owner";
import { emptyForm } from "./form";
import { forgetForm, hasExpertSettings, keepForm, keptForm } from "./keptForm";

beforeEach(() => {
  sessionStorage.clear();
  noteOwner(1);
});

const typed = { ...emptyForm(null), minutes: 15, settings: { epochs: "200", early_stopping: "0" } };

it("is there again after a reload, until the training has started", () => {
  keepForm("p", null, typed);
  expect(keptForm("p", null)).toEqual(typed);
  forgetForm("p", null);
  expect(keptForm("p", null)).toEqual(emptyForm(null));
});

it("is that of one user, one project and one model to start from", () => {
  keepForm("p", null, typed);
  expect(keptForm("q", null)).toEqual(emptyForm(null));
  expect(keptForm("p", "m")).toEqual(emptyForm("m"));
  noteOwner(2);
  expect(keptForm("p", null)).toEqual(emptyForm(null));
});

it("begins empty where nothing can be kept, or something else was", () => {
  for (const wrong of ["{", "null", "7"]) {
    sessionStorage.setItem("studio.train.1.p.", wrong);
    expect(keptForm("p", null)).toEqual(emptyForm(null));
  }
});

it("shows the expert settings where some are set", () => {
  expect(hasExpertSettings(emptyForm(null))).toBe(false);
  expect(hasExpertSettings({ ...emptyForm(null), settings: { epochs: "" } })).toBe(false);
  expect(hasExpertSettings(typed)).toBe(true);
  expect(hasExpertSettings(emptyForm("m"))).toBe(true);
});
