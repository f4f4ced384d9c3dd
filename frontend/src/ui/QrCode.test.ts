import { expect, test } from "vitest";
import { sideOf } from "./QrCode";

test("every module of a QR code has the same whole number of pixels, four at least", () => {
  for (let modules = 29; modules <= 185; modules += 4) {
    const side = sideOf(modules, 200);
    expect(side % modules).toBe(0);
    expect(side).toBeGreaterThanOrEqual(Math.max(200, 4 * modules));
  }
});
