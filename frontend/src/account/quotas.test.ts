import { expect, test } from "vitest";
import { curlLine } from "./curl";
import { formatAmount, isNearlyUsed, shareUsed } from "./quotas";

test("a limit that is not there is never near", () => {
  expect(shareUsed({ used: 5_000, limit: null })).toBe(0);
  expect(isNearlyUsed({ used: 5_000, limit: null })).toBe(false);
});

test("what is used of a limit", () => {
  expect(shareUsed({ used: 25, limit: 100 })).toBe(0.25);
  expect(shareUsed({ used: 120, limit: 100 })).toBe(1);
  expect(shareUsed({ used: 0, limit: 0 })).toBe(1);
  expect(isNearlyUsed({ used: 89, limit: 100 })).toBe(false);
  expect(isNearlyUsed({ used: 90, limit: 100 })).toBe(true);
});

test("bytes have a unit, other things are counted", () => {
  expect(formatAmount("bytes", 3_400_000, "en")).toBe("3.4 MB");
  expect(formatAmount("images", 12_000, "en")).toBe("12,000");
});

test("the line names the studio and the token", () => {
  expect(curlLine("https://studio.example.com", "abc")).toBe(
    "curl -H 'Authorization: Token abc' https://studio.example.com/api/v1/projects/",
  );
});
