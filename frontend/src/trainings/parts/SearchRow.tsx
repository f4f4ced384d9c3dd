import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Paper, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { formatTime } from "../../ui/numbers";
import type { Search } from "../queries";
import classes from "../Trainings.module.css";
import { StateBadge } from "./StateBadge";

export function SearchRow({ search }: { search: Search }) {
  const { t, i18n } = useLingui();
  const done = search.runs.filter(({ state }) => state === "succeeded").length;
  return (
    <Link
      to="/projects/$project/searches/$search"
      params={{ project: search.project, search: search.id }}
      className={classes.row}
    >
      <Paper className="panel" p="md">
        <Group justify="space-between">
          <Group gap="xs">
            <Text fw={600}>{search.name || t`Search`}</Text>
            <StateBadge state={search.state} />
          </Group>
          <Text size="sm" className="quiet">
            <Trans>
              {done} of {search.max_runs} trainings
            </Trans>
            {" · "}
            {search.created_by ?? "–"} · {formatTime(search.created_at, i18n.locale)}
          </Text>
        </Group>
      </Paper>
    </Link>
  );
}
