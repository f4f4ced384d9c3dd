import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Snapshot } from "../../api/types";

export function SnapshotRow({ project, snapshot }: { project: string; snapshot: Snapshot }) {
  const { i18n } = useLingui();
  const { splits } = snapshot.counts;
  return (
    <Group justify="space-between" wrap="nowrap" gap="xs">
      <Text
        size="sm"
        fw={600}
        renderRoot={(rest) => (
          <Link
            to="/projects/$project/snapshots/$snapshot"
            params={{ project, snapshot: snapshot.id }}
            {...rest}
          />
        )}
      >
        {snapshot.name || <Trans>Snapshot {snapshot.number}</Trans>}
      </Text>
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
