import { expect, it } from "vitest";
import { formatNumber } from "./numbers";

it("rounds measures, and no counts", () => {
  expect(formatNumber(0.003149, "en")).toBe("0.00315");
  expect(formatNumber(1234.5, "en")).toBe("1,230");
  expect(formatNumber(12345, "en")).toBe("12,345");
  expect(formatNumber(1024, "de")).toBe("1.024");
});
