import { expect, it } from "vitest";
import { keys } from "../api/keys";
import { queryClient } from "../app/queries";
import { isKnownOpen } from "./queries";

it("knows whether a training that is shown goes on, so that it is not started twice", () => {
  expect(isKnownOpen("p", "t")).toBe(false);
  for (const [state, expected] of [
    ["queued", true],
    ["running", true],
    ["succeeded", false],
    ["failed", false],
  ] as const) {
    queryClient.setQueryData([...keys.training("p"), "t"], { state });
    expect(isKnownOpen("p", "t")).toBe(expected);
  }
});
