// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from "vitest";
import { api, setCsrfToken } from "../api/client";
import type { Model } from "../models/queries";
import { saveThreshold } from "./queries";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

it("keeps the threshold that another user has saved for another label", async () => {
  const sent: unknown[] = [];
  const now = { detector: { label_thresholds: { nut: 0.3, bolt: 0.8 } } };
  vi.spyOn(api, "GET").mockResolvedValue({ data: now } as never);
  vi.stubGlobal("fetch", async (_address: string, { body }: RequestInit) => {
    sent.push(JSON.parse(String(body)));
    return Response.json({});
  });
  setCsrfToken("token");
  const opened = { id: "m", task: "detection", detector: { label_thresholds: { nut: 0.3, bolt: 0.5 } } };
  await saveThreshold("p", opened as unknown as Model, "nut", 0.6, "saved");
  expect(sent).toEqual([{ detector: { label_thresholds: { nut: 0.6, bolt: 0.8 } } }]);
});
