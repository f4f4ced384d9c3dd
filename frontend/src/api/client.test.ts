import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { leadsElsewhere, send, setCsrfToken } from "./client";

beforeEach(() => setCsrfToken("token"));
afterEach(() => vi.unstubAllGlobals());

describe("ids of the page's address", () => {
  it.each([
    "/api/v1/deployments/../users/me/",
    "/api/v1/deployments/../trash/5/restore/?x=/stop/",
    "/api/v1/models/..\\trash/",
    "/api/v1/models/%2E%2e/trash/",
    "/api/v1/models/./",
    "/api/v1/models/..#/",
  ])("leads elsewhere: %s", async (address) => {
    const asked = vi.fn();
    vi.stubGlobal("fetch", asked);
    await expect(send("POST", address)).rejects.toMatchObject({ status: 404, code: "not_found" });
    expect(asked).not.toHaveBeenCalled();
  });

  it.each(["/api/v1/deployments/5/stop/", "/api/v1/images/?name=../a", "/api/v1/models/a..b/files/x.y/"])(
    "is where it seems: %s",
    (address) => expect(leadsElsewhere(address)).toBe(false),
  );
});
