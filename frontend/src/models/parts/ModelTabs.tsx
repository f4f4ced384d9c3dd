import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Group } from "@mantine/core";
import { Link, useMatchRoute } from "@tanstack/react-router";

/** From one page of a model to the others. */
export function ModelTabs({ project, model }: { project: string; model: string }) {
  const { t } = useLingui();
  const matches = useMatchRoute();
  const base = `/projects/${project}/models/${model}`;
  const tabs = [
    [base, <Trans key="try">Try it</Trans>],
    [`${base}/quality`, <Trans key="quality">How good it is</Trans>],
    [`${base}/files`, <Trans key="files">Stage and files</Trans>],
    [`${base}/lineage`, <Trans key="lineage">Where it comes from</Trans>],
  ] as const;
  return (
    <Group component="nav" gap="md" mt={4} aria-label={t`Pages of the model`}>
      {tabs.map(([to, title]) => {
        const isHere = Boolean(matches({ to }));
        return (
          <Anchor
            key={to}
            component={Link}
            to={to}
            size="sm"
            fw={isHere ? 650 : undefined}
            aria-current={isHere ? "page" : undefined}
          >
            {title}
          </Anchor>
        );
      })}
    </Group>
  );
}
