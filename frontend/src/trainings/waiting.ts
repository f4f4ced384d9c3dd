import type { Training } from "./queries";

/** Whether a queued training starts at once, comes after others, or waits for something that its detail names. */
export function waitsFor(waiting: Training["waiting"]): "starting" | "turn" | "other" {
  if (waiting === null || waiting.code === "starting") return "starting";
  return waiting.code === "queue" && waiting.ahead > 0 ? "turn" : "other";
}
