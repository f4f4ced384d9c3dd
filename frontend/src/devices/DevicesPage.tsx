import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Group, Paper, Select, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useMayEdit } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { usePageNavigate } from "../ui/usePageNavigate";
import classes from "./Devices.module.css";
import { AddDevices } from "./parts/AddDevices";
import { Alarms } from "./parts/Alarms";
import { DeviceTable } from "./parts/DeviceTable";
import { GroupCard } from "./parts/GroupCard";
import { NewGroup } from "./parts/NewGroup";
import { RollOut } from "./parts/RollOut";
import { type DeviceGroup, useDeployments, useDevices, useGroups } from "./queries";
import { healths } from "./search";
import { useHealths } from "./words";

/** Machines that run the project's models without the studio: their groups, what is rolled out, how each of them is. */
export default function DevicesPage() {
  const { t } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project/devices" });
  const mayEdit = useMayEdit(project);
  const groups = useGroups(project);
  const deployments = useDeployments(project);
  const [isAdding, setIsAdding] = useState(false);
  const [rollingTo, setRollingTo] = useState<DeviceGroup | null>(null);
  const error = groups.error ?? deployments.error;
  return (
    <Page>
      <Stack gap="lg">
        <Group justify="space-between">
          <Title order={1} size="h2">
            <Trans>Devices</Trans>
          </Title>
          {mayEdit && groups.data && groups.data.length > 0 && (
            <Button leftSection={<Icon name="plus" />} onClick={() => setIsAdding(true)}>
              <Trans>Add devices</Trans>
            </Button>
          )}
        </Group>
        <Problem error={error} retry={() => void groups.refetch()} />
        {!groups.data && !error && <Skeleton height={140} radius="md" />}
        {groups.data?.length === 0 && (
          <EmptyState
            icon="devices"
            title={<Trans>No devices yet</Trans>}
            action={mayEdit && <NewGroup project={project} />}
          >
            <Trans>
              A Raspberry Pi or any small computer runs your model by itself, also without a network. Devices
              that run the same model are a group: make one first.
            </Trans>
          </EmptyState>
        )}
        {groups.data && groups.data.length > 0 && (
          <>
            <Alarms project={project} />
            <div className={classes.groups}>
              {groups.data.map((group) => (
                <GroupCard
                  key={group.id}
                  project={project}
                  group={group}
                  deployment={deployments.data?.find((one) => one.group === group.id)}
                  mayEdit={mayEdit}
                  rollOut={() => setRollingTo(group)}
                />
              ))}
            </div>
            {mayEdit && <NewGroup project={project} />}
            <List project={project} groups={groups.data} mayEdit={mayEdit} />
            <AddDevices
              project={project}
              groups={groups.data}
              opened={isAdding}
              close={() => setIsAdding(false)}
            />
          </>
        )}
        {groups.data && groups.data.length > 0 && (
          <Anchor component={Link} to={`/projects/${project}/review/devices`} size="sm">
            <Trans>Images that devices sent back, and nobody has looked at</Trans>
          </Anchor>
        )}
        {rollingTo && <RollOut project={project} group={rollingTo} close={() => setRollingTo(null)} />}
        {!mayEdit && groups.data && (
          <Text size="sm" className="quiet">
            {t`You may look at this project. Its editors add devices and roll out models.`}
          </Text>
        )}
      </Stack>
    </Page>
  );
}

interface ListProps {
  project: string;
  groups: DeviceGroup[];
  mayEdit: boolean;
}

function List({ project, groups, mayEdit }: ListProps) {
  const { t } = useLingui();
  const search = useSearch({ from: "/shell/projects/$project/devices" });
  const navigate = usePageNavigate({ from: "/projects/$project/devices" });
  const names = useHealths();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useDevices(
    project,
    search,
  );
  const devices = data?.pages.flatMap(({ results }) => results) ?? [];
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: { ...search, ...next }, replace: true, resetScroll: false });
  return (
    <Paper className="panel" p="md">
      <Stack gap="sm">
        <Group justify="space-between" align="flex-end">
          <Text size="sm" className="quiet" role="status">
            {data &&
              (hasNextPage ? (
                <Trans>the first {devices.length} devices</Trans>
              ) : (
                <Plural value={devices.length} _0="no device fits" one="# device" other="# devices" />
              ))}
          </Text>
          <Group gap="xs">
            <Select
              aria-label={t`Group`}
              placeholder={t`all groups`}
              clearable
              clearButtonProps={{ "aria-label": t`Show all groups` }}
              data={groups.map(({ id, name }) => ({ value: id, label: name }))}
              value={search.group ?? null}
              onChange={(group) => change({ group: group ?? undefined })}
            />
            <Select
              aria-label={t`How they are`}
              placeholder={t`working or not`}
              clearable
              clearButtonProps={{ "aria-label": t`Show all devices` }}
              data={healths.map((value) => ({ value, label: names[value] }))}
              value={search.health ?? null}
              onChange={(health) => change({ health: healths.find((one) => one === health) })}
            />
          </Group>
        </Group>
        <Problem error={error} retry={() => void refetch()} />
        {devices.length > 0 && (
          <DeviceTable project={project} devices={devices} groups={groups} mayEdit={mayEdit} />
        )}
        {hasNextPage && (
          <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            <Trans>Show more devices</Trans>
          </Button>
        )}
      </Stack>
    </Paper>
  );
}
