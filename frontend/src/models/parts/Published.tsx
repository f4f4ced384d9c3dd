import { Trans } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { useModelUses } from "../files";

/** The names under which programs for Custom Vision ask this model. */
export function Published({ project, model }: { project: string; model: string }) {
  const { data } = useModelUses(project, model, true);
  const names = data?.uses.filter(({ kind }) => kind === "publication").map(({ name }) => name) ?? [];
  if (names.length === 0) {
    return null;
  }
  return (
    <Text className="quiet" size="sm">
      <Trans>Published for programs as {names.join(", ")}</Trans>
    </Text>
  );
}
