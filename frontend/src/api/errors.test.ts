import { expect, it } from "vitest";
import { StudioError } from "./errors";

const error = (status: number, code: string) => new StudioError(status, [{ code, detail: code, attr: null }]);

it("tries again what was sent before a reload and is still being done, and no other conflict", () => {
  expect(error(409, "idempotency_in_progress").isTemporary).toBe(true);
  expect(error(409, "changed_meanwhile").isTemporary).toBe(false);
  expect(error(422, "idempotency_key_reused").isTemporary).toBe(false);
  expect(error(503, "error").isTemporary).toBe(true);
});
