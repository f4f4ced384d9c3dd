import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Badge, Button, Group, Paper, Stack, Text, UnstyledButton } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Label } from "../../api/types";
import { useDatasets } from "../../projects/queries";
import { formatBytes } from "../../ui/bytes";
import { Icon } from "../../ui/Icon";
import { LabelChip } from "../../ui/LabelChip";
import type { Copy, DuplicatesGroup } from "../duplicates";
import { confirmedLabels, haveConflict } from "../kinds";
import classes from "../Review.module.css";

interface Props {
  project: string;
  group: DuplicatesGroup;
  labels: Label[];
  mayEdit: boolean;
  isCurrent: boolean;
  staying: string | undefined;
  choose: (image: string) => void;
  onDelete: () => void;
  onKeep: () => void;
  onJoin: () => void;
}

/** The copies of one image side by side, with what one chooses by. */
export function GroupCard(props: Props) {
  const { t } = useLingui();
  const { group, labels, mayEdit, isCurrent, staying, choose } = props;
  const count = group.images.length + group.left_out;
  const isInOneGroup =
    group.images.length > 1 &&
    group.images.every(({ group: name }) => name !== "" && name === group.images[0]?.group);
  return (
    <Paper
      className={`panel ${classes.group}`}
      p="md"
      id={`group-${group.id}`}
      data-current={isCurrent || undefined}
      data-testid="duplicates-group"
    >
      <Stack gap="sm">
        <Group gap="xs">
          <Text fw={600} size="sm">
            {group.is_exact ? (
              <Plural value={count} one="# image" other="# times the same file" />
            ) : (
              <Plural value={count} one="# image" other="# near-duplicates" />
            )}
          </Text>
          {group.is_leak && (
            <Badge c="var(--studio-warn)" leftSection={<Icon name="alert-triangle" size={13} />}>
              <Trans>On both sides of a split</Trans>
            </Badge>
          )}
          {haveConflict(group.images) && (
            <Badge c="var(--studio-bad)" leftSection={<Icon name="alert-triangle" size={13} />}>
              <Trans>Different labels</Trans>
            </Badge>
          )}
          {group.by_features && (
            <Badge>
              <Trans>Alike in what they show</Trans>
            </Badge>
          )}
          {isInOneGroup && (
            <Badge>
              <Trans>In one group</Trans>
            </Badge>
          )}
        </Group>
        <div className={classes.copies} role="radiogroup" aria-label={t`Which copy stays`}>
          {group.images.map((image) => (
            <CopyTile
              key={image.id}
              project={props.project}
              image={image}
              labels={labels}
              isStaying={image.id === staying}
              choose={mayEdit ? () => choose(image.id) : undefined}
            />
          ))}
        </div>
        {group.left_out > 0 && (
          <Text size="xs" className="quiet">
            <Plural value={group.left_out} one="and # more" other="and # more" />
          </Text>
        )}
        {mayEdit && (
          <Group gap="xs">
            <Button
              size="compact-md"
              variant="default"
              leftSection={<Icon name="trash" size={15} />}
              onClick={props.onDelete}
            >
              <Trans>Keep the chosen one only</Trans>
            </Button>
            <Button size="compact-md" variant="default" onClick={props.onKeep}>
              {group.is_kept ? <Trans>Decide again</Trans> : <Trans>Keep all</Trans>}
            </Button>
            {!isInOneGroup && (
              <Button size="compact-md" variant="subtle" onClick={props.onJoin}>
                <Trans>Put in one group</Trans>
              </Button>
            )}
          </Group>
        )}
      </Stack>
    </Paper>
  );
}

interface TileProps {
  project: string;
  image: Copy;
  labels: Label[];
  isStaying: boolean;
  choose?: () => void;
}

function CopyTile({ project, image, labels, isStaying, choose }: TileProps) {
  const { t, i18n } = useLingui();
  const { data: datasets } = useDatasets(project);
  const names = confirmedLabels(image)
    .map((id) => labels.find((label) => label.id === id))
    .filter((label) => label !== undefined);
  const splits = { train: t`Train`, validation: t`Validation`, test: t`Test` };
  const facts = [
    `${image.width} × ${image.height}`,
    formatBytes(image.size, i18n.locale),
    new Date(image.created_at).toLocaleDateString(i18n.locale, { dateStyle: "medium" }),
    ...(image.split ? [splits[image.split]] : []),
    ...(datasets && datasets.length > 1 ? [datasets.find(({ id }) => id === image.dataset)?.name ?? ""] : []),
  ];
  return (
    <div>
      <UnstyledButton
        className={classes.copy}
        role="radio"
        aria-checked={isStaying}
        aria-label={t`Keep ${image.filename}`}
        disabled={!choose}
        onClick={choose}
      >
        <img src={image.thumbnail} alt="" loading="lazy" decoding="async" />
        <Text size="xs" fw={600} truncate mt={4}>
          {image.filename}
        </Text>
        <Text size="xs" className="quiet">
          {facts.filter(Boolean).join(" · ")}
        </Text>
        <Group gap={8} mih={22}>
          {names.length > 0 ? (
            names.map((label) => <LabelChip key={label.id} label={label} />)
          ) : (
            <Text size="xs" className="quiet">
              <Trans>no label</Trans>
            </Text>
          )}
        </Group>
      </UnstyledButton>
      <Anchor component={Link} to={`/projects/${project}/images/${image.id}`} size="xs" pl={8}>
        <Trans>Open</Trans>
      </Anchor>
    </div>
  );
}
