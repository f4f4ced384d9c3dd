import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Project } from "../../api/types";
import { LabelChip } from "../../ui/LabelChip";
import { formatNumber } from "../../ui/numbers";
import type { ProjectCounts } from "../counts";
import { useLabels } from "../queries";
import classes from "./DataHealth.module.css";

const FEW = 20;

/** How many images each label has, and which have too few: the usual reason of a weak model. */
export function DataHealth({ project, counts }: { project: Project; counts: ProjectCounts | undefined }) {
  const { t, i18n } = useLingui();
  const { data: labels } = useLabels(project.id);
  if (!counts || !labels) return null;
  const images = new Map(counts.labels.map((label) => [label.id, label.images]));
  const most = Math.max(1, ...images.values());
  const few = labels.filter(({ id }) => (images.get(id) ?? 0) < FEW).length;
  const open = counts.images - counts.annotated;
  return (
    <Paper className="panel" p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          <Trans>Health of the data</Trans>
        </Title>
        <Text size="sm">
          {open > 0 ? (
            <Plural value={open} one="# image has no label yet." other="# images have no label yet." />
          ) : (
            <Trans>Every image is labelled.</Trans>
          )}{" "}
          {few > 0 && (
            <Plural
              value={few}
              one="# label has fewer than 20 images: a model will often miss it."
              other="# labels have fewer than 20 images: a model will often miss them."
            />
          )}
        </Text>
        <div role="list" aria-label={t`Images by label`}>
          {labels.map((label) => {
            const count = images.get(label.id) ?? 0;
            return (
              <Link
                key={label.id}
                role="listitem"
                to="/projects/$project/images"
                params={{ project: project.id }}
                search={{ label: [label.id] }}
                className={`plain ${classes.row}`}
              >
                <div className={classes.name}>
                  <LabelChip label={label} />
                </div>
                <div className={classes.track}>
                  <div className={classes.bar} style={{ width: `${(100 * count) / most}%` }} />
                </div>
                <Group gap={4} justify="flex-end" className={classes.count}>
                  <Text size="sm">{formatNumber(count, i18n.locale)}</Text>
                </Group>
              </Link>
            );
          })}
        </div>
      </Stack>
    </Paper>
  );
}
