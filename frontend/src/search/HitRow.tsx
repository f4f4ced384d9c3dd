import { Anchor, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { addressOf, type Hit, type Kind } from "./hits";

/** A hit with where it is; what has no page yet is named all the same. */
export function HitRow({ kind, hit }: { kind: Kind; hit: Hit }) {
  const address = addressOf(kind, hit);
  const place = [kind === "project" ? "" : hit.project_name, kind === "dataset" ? "" : hit.dataset_name]
    .filter(Boolean)
    .join(" · ");
  return (
    <Group justify="space-between" wrap="nowrap" mih={32} gap="md">
      {address ? (
        <Anchor component={Link} to={address} size="sm" truncate>
          {hit.name}
        </Anchor>
      ) : (
        <Text size="sm" truncate>
          {hit.name}
        </Text>
      )}
      <Text size="xs" className="quiet" truncate>
        {place}
      </Text>
    </Group>
  );
}
