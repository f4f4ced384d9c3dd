import { useLingui } from "@lingui/react/macro";
import { Button, Group } from "@mantine/core";
import type { DuplicatesSummary } from "../duplicates";
import { type DuplicateKind, duplicateKinds } from "../kinds";

interface Props {
  summary: DuplicatesSummary;
  kind: DuplicateKind;
  choose: (kind: DuplicateKind) => void;
}

/** Which groups are shown, with how many there are of each kind. */
export function DuplicateKinds({ summary, kind, choose }: Props) {
  const { t } = useLingui();
  const names: Record<DuplicateKind, string> = {
    open: t`All`,
    exact: t`The same file`,
    leaks: t`On both sides of a split`,
    label_conflicts: t`Different labels`,
    by_features: t`Alike in what they show`,
    kept: t`Kept on purpose`,
  };
  return (
    <Group gap={6} role="group" aria-label={t`Which groups are shown`}>
      {duplicateKinds.map((one) => (
        <Button
          key={one}
          size="compact-sm"
          variant={one === kind ? "filled" : "default"}
          aria-pressed={one === kind}
          disabled={summary[one] === 0 && one !== kind && one !== "open"}
          onClick={() => choose(one)}
        >
          {names[one]} ({summary[one]})
        </Button>
      ))}
    </Group>
  );
}
