import { expect, it } from "vitest";
import type { Training } from "./queries";
import { waitsFor } from "./waiting";

type Waiting = NonNullable<Training["waiting"]>;

const waiting = (code: Waiting["code"], ahead = 0): Waiting => ({
  queue: "training",
  position: ahead + 1,
  ahead,
  running: 0,
  code,
  detail: "",
});

it("says that a training starts only where it does", () => {
  expect(waitsFor(null)).toBe("starting");
  expect(waitsFor(waiting("starting"))).toBe("starting");
  expect(waitsFor(waiting("queue", 2))).toBe("turn");
  for (const code of ["no_worker", "own_work", "queue", "disk_full"] as const)
    expect(waitsFor(waiting(code))).toBe("other");
  expect(waitsFor(waiting("no_worker", 2))).toBe("other");
});
