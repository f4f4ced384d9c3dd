import { Group, Text } from "@mantine/core";
import type { Label } from "../api/types";

/** A label's colour with a dark outline, since yellow alone is lost on white, and its name: colour is never the only sign. */
export function LabelChip({ label, size = 11 }: { label: Pick<Label, "name" | "color">; size?: number }) {
  return (
    <Group gap={6} wrap="nowrap" component="span" display="inline-flex" miw={0}>
      <Swatch color={label.color ?? "#888888"} size={size} />
      <Text span truncate size="sm">
        {label.name}
      </Text>
    </Group>
  );
}

export function Swatch({ color, size = 11 }: { color: string; size?: number }) {
  return (
    <span
      aria-hidden
      style={{
        display: "inline-block",
        flex: "none",
        width: size,
        height: size,
        borderRadius: 3,
        background: color,
        boxShadow: "0 0 0 1px light-dark(rgb(0 0 0 / 55%), rgb(255 255 255 / 45%))",
      }}
    />
  );
}
