import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Group, Loader, Paper, Stack, Table, Text, Title } from "@mantine/core";
import { isInTheWay } from "../../api/errors";
import { useLabels } from "../../projects/queries";
import { LabelChip } from "../../ui/LabelChip";
import { Problem } from "../../ui/Problem";
import { useComparedImages, useComparison } from "../queries";
import classes from "../Snapshot.module.css";
import { changeOf, type Difference, differences, firstDifference } from "../search";
import { ImageTiles } from "./ImageTiles";

interface Props {
  project: string;
  snapshot: string;
  other: string;
  difference: Difference | undefined;
  choose: (difference: Difference) => void;
}

/** What changed since another snapshot: counts side by side, and the images of each difference. */
export function ComparisonView({ project, snapshot, other, difference, choose }: Props) {
  const { t } = useLingui();
  const { data, error, refetch } = useComparison(project, snapshot, other);
  if (isInTheWay(error, data)) return <Problem error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Center mih={160}>
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  const shown = difference ?? firstDifference(data.images);
  const names: Record<Difference, string> = {
    added: t`Added`,
    removed: t`Removed`,
    relabelled: t`Other annotations`,
    moved: t`Other split`,
  };
  return (
    <Stack>
      <Paper className="panel" p="md">
        <Title order={2} size="h4">
          <Trans>Since {data.before.title}</Trans>
        </Title>
        <Text size="sm" className="quiet" mb="xs">
          <Trans>{data.images.unchanged} images are in both and as they were.</Trans>
        </Text>
        <SideBySide
          project={project}
          rows={data.labels.map(({ label, before, after }) => ({
            name: label,
            before,
            after,
            isLabel: true,
          }))}
          splits={data.splits.map(({ split, before, after }) => ({
            name: { train: t`Train`, validation: t`Validation`, test: t`Test` }[split],
            before,
            after,
            isLabel: false,
          }))}
          titles={[data.before.title, data.after.title]}
        />
      </Paper>
      <Group gap={6} role="group" aria-label={t`Differences`}>
        {differences.map((one) => (
          <Button
            key={one}
            size="compact-sm"
            variant={one === shown ? "filled" : "default"}
            aria-pressed={one === shown}
            onClick={() => choose(one)}
          >
            {names[one]} ({data.images[one]})
          </Button>
        ))}
      </Group>
      <Differing key={shown} project={project} snapshot={snapshot} other={other} difference={shown} />
    </Stack>
  );
}

function Differing(props: { project: string; snapshot: string; other: string; difference: Difference }) {
  const { t } = useLingui();
  const pages = useComparedImages(props.project, props.snapshot, props.other, props.difference);
  return <ImageTiles project={props.project} pages={pages} empty={t`No image differs in this way`} />;
}

interface Row {
  name: string;
  before: number;
  after: number;
  isLabel: boolean;
}

function SideBySide({
  project,
  rows,
  splits,
  titles,
}: {
  project: string;
  rows: Row[];
  splits: Row[];
  titles: [string, string];
}) {
  const { data: labels = [] } = useLabels(project);
  return (
    <Table.ScrollContainer minWidth={290}>
      <Table verticalSpacing={4} horizontalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>
              <Trans>Images</Trans>
            </Table.Th>
            <Table.Th className={classes.numbers}>{titles[0]}</Table.Th>
            <Table.Th className={classes.numbers}>{titles[1]}</Table.Th>
            <Table.Th className={classes.numbers}>
              <Trans>Change</Trans>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {[...rows, ...splits].map((row) => (
            <Table.Tr key={`${row.isLabel}-${row.name}`}>
              <Table.Td>
                {row.isLabel ? (
                  <LabelChip
                    label={
                      labels.find(({ name }) => name === row.name) ?? { name: row.name, color: "#888888" }
                    }
                  />
                ) : (
                  row.name
                )}
              </Table.Td>
              <Table.Td className={classes.numbers}>{row.before}</Table.Td>
              <Table.Td className={classes.numbers}>{row.after}</Table.Td>
              <Table.Td className={classes.numbers}>{changeOf(row.before, row.after)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
