import { describe, expect, it } from "vitest";
import { adviceFor, figuresOf, type ModelExport } from "./advice";

function file(kind: string, size: number, latency: number | null, drop = 0, runtime = "litert"): ModelExport {
  return {
    kind,
    title: kind,
    runtime,
    file: {
      size,
      stale: false,
      report: { latency_ms: latency, drop, accuracy: 0.9 - drop, keras_accuracy: 0.9 },
    },
  } as unknown as ModelExport;
}

describe("adviceFor", () => {
  it("takes the quickest that loses at most a point", () => {
    const advice = adviceFor([file("a", 400, 4), file("b", 100, 2, 0.005), file("c", 100, 1, 0.05)]);
    expect(advice?.chosen.kind).toBe("b");
    expect(advice?.timesSmaller).toBe(4);
    expect(advice?.tooLossy.map(({ kind }) => kind)).toEqual(["c"]);
  });

  it("takes the smaller of two that are as quick", () => {
    expect(adviceFor([file("large", 400, 2), file("small", 100, 2.1)])?.chosen.kind).toBe("small");
  });

  it("leaves out what small machines do not run, what is not made, not measured or stale", () => {
    const missing = { ...file("m", 1, 1), file: null };
    const stale = file("s", 1, 1);
    if (stale.file) stale.file = { ...stale.file, stale: true };
    expect(adviceFor([missing, stale, file("k", 1, 1, 0, "keras"), file("n", 1, null)])).toBeNull();
  });
});

it("reads the figures of a file", () => {
  expect(figuresOf(file("a", 1, 1, 0.1))).toEqual({ own: 0.8, original: 0.9 });
  expect(figuresOf({ ...file("a", 1, 1), file: null })).toEqual({ own: undefined, original: undefined });
});
