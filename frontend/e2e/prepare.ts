import type { FullConfig } from "@playwright/test";
import { startTraining } from "./trained";

/** One training for all journeys that only look at a model; it runs beside the others. */
export default async function prepare(config: FullConfig): Promise<void> {
  const { username, training } = await startTraining(config.projects[0]?.use.baseURL ?? "");
  Object.assign(process.env, { E2E_TRAINER: username, E2E_TRAINING: training });
}
