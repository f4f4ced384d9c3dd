import { useLingui } from "@lingui/react/macro";
import type { Deployment, Device } from "./queries";

export function useDeploymentStates(): Record<Deployment["state"], string> {
  const { t } = useLingui();
  return {
    rolling: t`rolling out`,
    stopped: t`stopped`,
    completed: t`on all devices`,
    rolled_back: t`rolled back`,
    replaced: t`replaced by a later one`,
  };
}

export function useHealths(): Record<Device["health"], string> {
  const { t } = useLingui();
  return { ok: t`works`, failed: t`has failed`, unknown: t`has not reported yet` };
}

/** Why somebody should look at a device. */
export function useAlarms(): Record<"silent" | "failed", string> {
  const { t } = useLingui();
  return { silent: t`not heard from`, failed: t`its model does not work` };
}
