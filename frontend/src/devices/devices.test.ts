import { describe, expect, it } from "vitest";
import { enrolmentLines, isOwnMachine } from "./enrolling";
import { readDevicesSearch } from "./search";
import { ago, isLate, sourceOf, stillTake } from "./seen";

const NOW = Date.parse("2026-03-01T12:00:00Z");

describe("ago", () => {
  it("speaks in the largest unit that fits", () => {
    expect(ago("2026-03-01T11:59:50Z", NOW, "en")).toBe("10 seconds ago");
    expect(ago("2026-03-01T11:57:00Z", NOW, "en")).toBe("3 minutes ago");
    expect(ago("2026-03-01T09:59:00Z", NOW, "de")).toBe("vor 2 Stunden");
    expect(ago("2026-02-26T12:00:00Z", NOW, "en")).toBe("3 days ago");
  });

  it("knows no future, whatever the clocks say", () => {
    expect(ago("2026-03-01T12:00:30Z", NOW, "en")).toBe("now");
  });
});

describe("isLate", () => {
  it("follows the poll interval of the group", () => {
    expect(isLate("2026-03-01T11:57:00Z", 60, NOW)).toBe(false);
    expect(isLate("2026-03-01T11:55:00Z", 60, NOW)).toBe(true);
    expect(isLate("2026-03-01T10:00:00Z", 3600, NOW)).toBe(false);
    expect(isLate(null, 60, NOW)).toBe(false);
  });
});

describe("enrolling", () => {
  it("writes the address and the code into the lines", () => {
    expect(enrolmentLines("http://studio.local:8000", "mse_1")).toContain(
      "enrol --url http://studio.local:8000 --code mse_1",
    );
  });

  it("installs what the agent needs beside it", () => {
    expect(enrolmentLines("http://studio.local:8000", "mse_1")).toContain(
      "pip install ./mlstudio/vision ./mlstudio/fastdfs ./mlstudio/agent",
    );
  });

  it("knows an address that no other machine reaches", () => {
    expect(isOwnMachine("http://localhost:8000")).toBe(true);
    expect(isOwnMachine("http://studio.local:8000")).toBe(false);
  });
});

it("reads the address of the list", () => {
  expect(readDevicesSearch({ group: "a", health: "failed" })).toEqual({ group: "a", health: "failed" });
  expect(readDevicesSearch({ group: 3, health: "tired" })).toEqual({});
});

it("names the source of a device's images as the studio does", () => {
  const id = "0192f3a0-0000-7000-8000-000000abcdef";
  expect(sourceOf({ id, name: "line 3" })).toBe("device line 3 (abcdef)");
  expect(sourceOf({ id, name: "x".repeat(100) })).toHaveLength(100);
});

describe("stillTake", () => {
  it("counts the devices that a stopped roll-out has told, and that have not reported", () => {
    expect(stillTake("stopped", { told: 5, reported: 2 })).toBe(3);
    expect(stillTake("stopped", { told: 5, reported: 5 })).toBe(0);
    expect(stillTake("rolling", { told: 5, reported: 2 })).toBe(0);
  });
});
