// @vitest-environment happy-dom
import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { renderHook } from "@testing-library/react";
import { createElement, type ReactNode } from "react";
import { afterEach, expect, it, vi } from "vitest";
import type { StudioImage } from "../api/types";

vi.mock("./changes", () => ({ change: vi.fn() }));

const { change } = await import("./changes");
const { annotator } = await import("./store");
const { useActions } = await import("./useAnnotator");

i18n.loadAndActivate({ locale: "en", messages: {} });
const wrapper = ({ children }: { children: ReactNode }) => createElement(I18nProvider, { i18n }, children);
afterEach(() => vi.clearAllMocks());

it("changes the image that is shown, and never the one before while the next one is loaded", () => {
  annotator.setState({ image: "before", marks: [] });
  const shown = (id?: string) =>
    renderHook(() => useActions("p", id ? ({ id, filename: id } as StudioImage) : undefined, []), { wrapper })
      .result.current;
  shown(undefined).classify("good");
  shown("next").classify("good");
  expect(change).not.toHaveBeenCalled();
  shown("before").classify("good");
  expect(change).toHaveBeenCalledOnce();
});
