import { useLingui } from "@lingui/react/macro";
import type { Delivery, WebhookEvent } from "./queries";

export function useEventNames(): Record<WebhookEvent | "ping", string> {
  const { t } = useLingui();
  return {
    "training.finished": t`a training has ended`,
    "evaluation.finished": t`an evaluation has ended`,
    "deployment.finished": t`a roll-out has ended`,
    "device.alarm": t`a device has fallen silent, failed, or is well again`,
    "job.finished": t`an import, an export or another job has ended`,
    ping: t`test`,
  };
}

export function useDeliveryStates(): Record<Delivery["state"], string> {
  const { t } = useLingui();
  return { pending: t`on its way`, delivered: t`arrived`, failed: t`given up` };
}
