import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Snapshot } from "../../api/types";

export function SnapshotRow({ project, snapshot }: { project: string; snapshot: Snapshot }) {
  const { i18n } = useLingui();
  const { splits } = snapshot.counts;
  return (
    <Group justify="space-between" gap="xs">
      <Anchor component={Link} to={`/projects/${project}/snapshots/${snapshot.id}`} size="sm" fw={600}>
        {snapshot.name || <Trans>Snapshot {snapshot.number}</Trans>}
      </Anchor>
      <Text size="xs" className="quiet">
        <Trans>
          train {splits.train ?? 0}, validation {splits.validation ?? 0}, test {splits.test ?? 0}
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
