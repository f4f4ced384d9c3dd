import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Group, Paper, Skeleton, Stack, Table, Text, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useMayEdit } from "../projects/queries";
import { ConfirmDelete } from "../ui/ConfirmDelete";
import { Icon } from "../ui/Icon";
import { formatNumber, formatPercent } from "../ui/numbers";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { StateBadge } from "./parts/StateBadge";
import { cancelSearch, isOpen, type Search, useSearch } from "./queries";
import classes from "./Trainings.module.css";
import { places, variedSettings } from "./varied";
import { useSettingNames } from "./words";

/** A search for better settings: its trainings as a table that grows, round by round. */
export default function SearchPage() {
  const { t } = useLingui();
  const { project, search: id } = useParams({ from: "/shell/projects/$project/searches/$search" });
  const mayEdit = useMayEdit(project);
  const { data: search, error, refetch } = useSearch(project, id);
  const [asks, setAsks] = useState(false);
  return (
    <Page>
      <Stack gap="lg">
        <Problem error={error} retry={() => void refetch()} />
        {!search && !error && <Skeleton height={260} />}
        {search && (
          <>
            <div>
              <Anchor component={Link} to={`/projects/${project}/trainings`} size="sm">
                <Trans>All trainings</Trans>
              </Anchor>
              <Group justify="space-between" mt={4}>
                <Group gap="sm">
                  <Title order={1} size="h2">
                    {search.name || t`Search for better settings`}
                  </Title>
                  <StateBadge state={search.state} />
                </Group>
                <Group gap="xs">
                  {search.model && (
                    <Button
                      component={Link}
                      to={`/projects/${project}/models/${search.model}`}
                      leftSection={<Icon name="sparkles" />}
                    >
                      <Trans>Try the model</Trans>
                    </Button>
                  )}
                  {mayEdit && isOpen(search.state) && (
                    <Button
                      variant="default"
                      leftSection={<Icon name="player-stop" />}
                      onClick={() => setAsks(true)}
                    >
                      <Trans>Cancel</Trans>
                    </Button>
                  )}
                </Group>
              </Group>
            </div>
            <Text className="quiet">
              <Trans>
                Round {search.rung + 1} of {search.sizes.length}: the better half of each round trains twice
                as long.
              </Trans>{" "}
              {search.note}
            </Text>
            <Runs project={project} search={search} />
          </>
        )}
      </Stack>
      <ConfirmDelete
        opened={asks}
        close={() => setAsks(false)}
        title={t`Cancel this search?`}
        action={t`Cancel the search`}
        keep={t`Let it go on`}
        confirm={() => cancelSearch(project, id)}
      >
        <Trans>Its trainings that run or wait are cancelled. Models that are done stay.</Trans>
      </ConfirmDelete>
    </Page>
  );
}

function Runs({ project, search }: { project: string; search: Search }) {
  const { t, i18n } = useLingui();
  const names = useSettingNames();
  const varied = variedSettings(search);
  const ranks = places(search.runs);
  const text = (value: unknown) =>
    typeof value === "number"
      ? formatNumber(value, i18n.locale)
      : value === undefined || value === null
        ? t`usual`
        : String(value).replaceAll("_", " ");
  return (
    <Paper className="panel" p="md">
      <Table.ScrollContainer minWidth={560}>
        <Table verticalSpacing={6} horizontalSpacing={8}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>
                <Trans>Training</Trans>
              </Table.Th>
              <Table.Th className={classes.numbers}>
                <Trans>Round</Trans>
              </Table.Th>
              <Table.Th className={classes.numbers}>
                <Trans>Epochs</Trans>
              </Table.Th>
              {varied.map((name) => (
                <Table.Th key={name} className={classes.numbers}>
                  {names[name] ?? name}
                </Table.Th>
              ))}
              <Table.Th className={classes.numbers}>
                <Trans>Score</Trans>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {search.runs.map((run) => (
              <Table.Tr key={run.id} fw={run.id === search.best ? 650 : undefined}>
                <Table.Td>
                  <Group gap="xs" wrap="nowrap">
                    <Anchor
                      component={Link}
                      to={`/projects/${project}/trainings/${run.id}`}
                      size="sm"
                      underline="always"
                    >
                      {ranks.has(run.id) ? t`Place ${ranks.get(run.id) ?? 0}` : t`Open`}
                    </Anchor>
                    <StateBadge state={run.state} />
                  </Group>
                </Table.Td>
                <Table.Td className={classes.numbers}>{(run.rung ?? 0) + 1}</Table.Td>
                <Table.Td className={classes.numbers}>{run.epochs}</Table.Td>
                {varied.map((name) => (
                  <Table.Td key={name} className={classes.numbers}>
                    {text((run.settings as Record<string, unknown> | null)?.[name])}
                  </Table.Td>
                ))}
                <Table.Td className={classes.numbers}>
                  {run.score === null ? "–" : formatPercent(run.score, i18n.locale, 1)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Paper>
  );
}
