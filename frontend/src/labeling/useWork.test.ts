// @vitest-environment happy-dom
import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import { createElement, type ReactNode } from "react";
import { expect, it, vi } from "vitest";
import type { Label } from "../api/types";

let answerList: (images: unknown[]) => void = () => undefined;
const list = new Promise<unknown[]>((resolve) => {
  answerList = resolve;
});
const image = (id: string) => ({ id, filename: `${id}.jpg`, labels: [], revision: 1, thumbnail: "" });
const helpful = [image("h1"), image("h2")];
const json = (body: unknown) => new Response(JSON.stringify(body), { status: 200 });
vi.stubGlobal("fetch", async (address: unknown, options?: RequestInit) => {
  if (options?.method === "PUT") return json({ revision: 2, annotations: [] });
  const path = address instanceof Request ? address.url : String(address);
  if (path.includes("/live-model/next/")) return json(helpful);
  if (!path.includes("/images/?")) return json({ csrf_token: "token" });
  return json({ results: await list, total: 2 });
});

const { save } = await import("../annotator/changes");
const { queryClient } = await import("../app/queries");
const { useOutbox } = await import("../outbox/outbox");
const { useWork } = await import("./useWork");

i18n.loadAndActivate({ locale: "en", messages: {} });
const wrapper = ({ children }: { children: ReactNode }) =>
  createElement(
    QueryClientProvider,
    { client: queryClient },
    createElement(I18nProvider, { i18n }, children),
  );

it("does not show what got its label while the studio was asked what has none", async () => {
  useOutbox.setState({ isReady: true });
  const { result } = renderHook(() => useWork("p", {}), { wrapper });
  void save({ project: "p", image: "a", filename: "a.jpg", marks: [] }, "Label good");
  await waitFor(() => expect(useOutbox.getState().savedAt).toBeGreaterThan(0));
  answerList([image("a"), image("b")]);
  await waitFor(() => expect(result.current.current?.id).toBe("b"));
});

it("shows what helps most first, and the others behind it", async () => {
  useOutbox.setState({ isReady: true });
  answerList([image("a"), image("b")]);
  const { result, rerender } = renderHook(({ isHelpful }) => useWork("q", {}, isHelpful), {
    wrapper,
    initialProps: { isHelpful: false },
  });
  await waitFor(() => expect(result.current.current).toBeDefined());
  rerender({ isHelpful: true });
  await waitFor(() => expect(result.current.current?.id).toBe("h1"));
  result.current.skip();
  await waitFor(() => expect(result.current.current?.id).toBe("h2"));
});

it("keeps both labels of two keys that come before the page is drawn again", async () => {
  useOutbox.setState({ isReady: true });
  answerList([image("a"), image("b")]);
  const { result } = renderHook(() => useWork("r", {}), { wrapper });
  await waitFor(() => expect(result.current.current).toBeDefined());
  const { toggle } = result.current;
  const label = (id: string) => ({ id, name: id }) as Label;
  act(() => {
    toggle(label("x"));
    toggle(label("y"));
  });
  expect(result.current.current?.labels).toEqual(["x", "y"]);
});
