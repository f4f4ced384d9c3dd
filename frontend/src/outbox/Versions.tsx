import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { useLabels } from "../projects/queries";
import { currentOf, summary } from "./conflicts";
import type { Command } from "./queue";

/** Both versions of a conflict, side by side in words. */
export function Versions({ command }: { command: Command }) {
  const { t } = useLingui();
  const nothing = t`no label`;
  const { data: labels } = useLabels(command.project);
  const theirs = currentOf(command.theirs);
  if (!theirs || !Array.isArray(command.body)) return null;
  const names = new Map(labels?.map(({ id, name }) => [id, name]));
  const mine = (command.body as { label: string }[]).map(({ label }) => names.get(label) ?? label);
  return (
    <>
      <Text size="xs">
        <Trans>Yours: {summary(mine, nothing)}</Trans>
      </Text>
      <Text size="xs">
        <Trans>
          There now, by {theirs.changed_by ?? "–"}:{" "}
          {summary(
            theirs.annotations.map(({ label }) => label),
            nothing,
          )}
        </Trans>
      </Text>
    </>
  );
}
