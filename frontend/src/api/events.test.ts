import { expect, it } from "vitest";
import { concerned, type StudioEvent } from "./events";
import { keys } from "./keys";

const about = { project: "p", id: "1", action: "created", name: "gate" } as const;

it.each(["device", "device_group"] as const)("reads devices again after news of a %s", (kind) => {
  expect(concerned({ kind, ...about } satisfies StudioEvent)).toEqual([keys.devices("p")]);
});
