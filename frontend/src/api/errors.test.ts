import { expect, it } from "vitest";
import { isInTheWay, StudioError } from "./errors";

const error = (status: number, code: string) => new StudioError(status, [{ code, detail: code, attr: null }]);

it("tries again what was sent before a reload and is still being done, and no other conflict", () => {
  expect(error(409, "idempotency_in_progress").isTemporary).toBe(true);
  expect(error(409, "changed_meanwhile").isTemporary).toBe(false);
  expect(error(422, "idempotency_key_reused").isTemporary).toBe(false);
  expect(error(503, "error").isTemporary).toBe(true);
});

it("leaves on a page what was loaded while the studio cannot be reached", () => {
  expect(isInTheWay(null, undefined)).toBe(false);
  expect(isInTheWay(error(0, "unreachable"), { id: 1 })).toBe(false);
  expect(isInTheWay(error(503, "error"), { id: 1 })).toBe(false);
  expect(isInTheWay(error(0, "unreachable"), undefined)).toBe(true);
  expect(isInTheWay(error(404, "not_found"), { id: 1 })).toBe(true);
});

it("has no page that shows every error instead of its content", () => {
  const sources = import.meta.glob<string>("../**/*.tsx", { query: "?raw", import: "default", eager: true });
  expect(Object.keys(sources).length).toBeGreaterThan(100);
  const found = Object.entries(sources).filter(([, text]) => /if \(error\) return/.test(text));
  expect(found.map(([path]) => path)).toEqual([]);
});
