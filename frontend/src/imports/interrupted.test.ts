import { describe, expect, it } from "vitest";
import { StudioError } from "../api/errors";
import { interrupted } from "./interrupted";

const answered = (status: number, body = "") =>
  Object.assign(new Error("tus: unexpected response"), {
    originalResponse: { getStatus: () => status, getBody: () => body },
  });

describe("an upload that was interrupted", () => {
  it("goes on later when no answer came", () => {
    expect(interrupted(Object.assign(new Error("tus: failed"), { originalResponse: null })).isTemporary).toBe(
      true,
    );
    expect(interrupted(answered(0)).isTemporary).toBe(true);
    expect(interrupted(new Error("anything")).isTemporary).toBe(true);
  });

  it("goes on later when something before the studio answers that it is away", () => {
    expect(interrupted(answered(502, "<html>Bad gateway</html>")).isTemporary).toBe(true);
  });

  it("ends with the words of the studio when it refuses", () => {
    const body = JSON.stringify({ errors: [{ code: "disk_full", detail: "No space is left.", attr: null }] });
    expect(interrupted(answered(413, body))).toMatchObject({ isTemporary: false, code: "disk_full" });
    expect(interrupted(answered(413, body)).message).toBe("No space is left.");
  });

  it("leaves an error of the studio as it is", () => {
    const error = new StudioError(409, [{ code: "x", detail: "y", attr: null }]);
    expect(interrupted(error)).toBe(error);
  });
});
