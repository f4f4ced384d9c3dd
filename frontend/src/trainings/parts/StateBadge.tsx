import { Badge } from "@mantine/core";
import { useStateNames } from "../../activity/names";
import { Icon } from "../../ui/Icon";
import type { IconName } from "../../ui/icon-paths";
import type { WorkState } from "../queries";

const LOOKS: Record<WorkState, { icon: IconName; color: string }> = {
  queued: { icon: "clock", color: "var(--studio-quiet)" },
  running: { icon: "player-play", color: "var(--studio-selected)" },
  succeeded: { icon: "circle-check", color: "var(--studio-good)" },
  failed: { icon: "alert-triangle", color: "var(--studio-bad)" },
  cancelled: { icon: "player-stop", color: "var(--studio-quiet)" },
};

/** A state in a word, with a sign beside its colour. */
export function StateBadge({ state }: { state: WorkState }) {
  const names = useStateNames();
  const { icon, color } = LOOKS[state];
  return (
    <Badge c={color} leftSection={<Icon name={icon} size={13} />}>
      {names[state] ?? state}
    </Badge>
  );
}
