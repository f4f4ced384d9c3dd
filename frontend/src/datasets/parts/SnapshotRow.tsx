import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Text } from "@mantine/core";
import type { Snapshot } from "../../api/types";

export function SnapshotRow({ snapshot }: { snapshot: Snapshot }) {
  const { i18n } = useLingui();
  const splits = snapshot.counts as { train?: number; validation?: number; test?: number };
  return (
    <Group justify="space-between" wrap="nowrap" gap="xs">
      <Text size="sm" fw={600}>
        {snapshot.name || <Trans>Snapshot {snapshot.number}</Trans>}
      </Text>
      <Text size="xs" className="quiet">
        <Trans>
          train {count(splits.train)}, validation {count(splits.validation)}, test {count(splits.test)}
        </Trans>
        {" · "}
        {new Date(snapshot.created_at).toLocaleString(i18n.locale, {
          dateStyle: "medium",
          timeStyle: "short",
        })}
      </Text>
    </Group>
  );
}

function count(value: unknown): number {
  if (typeof value === "number") return value;
  const images = (value as { images?: unknown } | undefined)?.images;
  return typeof images === "number" ? images : 0;
}
