import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Anchor, Button, Group, Menu, Paper, Progress, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { Icon } from "../../ui/Icon";
import { type Deployment, type DeviceGroup, deleteGroup } from "../queries";
import { useDeploymentStates } from "../words";
import { GroupSettings } from "./GroupSettings";

interface Props {
  project: string;
  group: DeviceGroup;
  /** The newest roll-out to it. */
  deployment: Deployment | undefined;
  mayEdit: boolean;
  rollOut: () => void;
}

/** A group: how many devices, what they run, how far a roll-out is. */
export function GroupCard({ project, group, deployment, mayEdit, rollOut }: Props) {
  const { t } = useLingui();
  const states = useDeploymentStates();
  const [isDeleting, setIsDeleting] = useState(false);
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Paper className="panel" p="md">
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap">
          <Title order={3} size="h5" style={{ minWidth: 0, overflowWrap: "anywhere" }}>
            {group.name}
          </Title>
          {mayEdit && (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="subtle" color="gray" aria-label={t`More about ${group.name}`}>
                  <Icon name="dots" />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<Icon name="settings" />} onClick={() => setIsOpen(true)}>
                  <Trans>Settings of the group</Trans>
                </Menu.Item>
                <Menu.Item
                  color="red"
                  leftSection={<Icon name="trash" />}
                  onClick={() => setIsDeleting(true)}
                >
                  <Trans>Delete the group</Trans>
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </Group>
        <Text size="sm" className="quiet">
          <Plural value={group.device_count} _0="no device yet" one="# device" other="# devices" />
          {" · "}
          <Plural value={group.poll_seconds ?? 60} one="asks every second" other="asks every # seconds" />
        </Text>
        {deployment ? (
          <>
            <Text size="sm">
              <Anchor
                size="sm"
                renderRoot={(props) => (
                  <Link
                    to="/projects/$project/deployments/$deployment"
                    params={{ project, deployment: deployment.id }}
                    {...props}
                  />
                )}
              >
                {deployment.model_name}
              </Anchor>{" "}
              <span className="quiet">· {states[deployment.state]}</span>
            </Text>
            {deployment.state === "rolling" && (
              <Progress
                value={deployment.percent}
                aria-label={t`${deployment.percent} percent of the devices`}
              />
            )}
          </>
        ) : (
          <Text size="sm" className="quiet">
            <Trans>Runs no model yet.</Trans>
          </Text>
        )}
        {mayEdit && (
          <Group>
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<Icon name="rocket" />}
              onClick={rollOut}
            >
              <Trans>Roll out a model</Trans>
            </Button>
          </Group>
        )}
      </Stack>
      {isOpen && <GroupSettings project={project} group={group} close={() => setIsOpen(false)} />}
      <ConfirmDelete
        opened={isDeleting}
        title={t`Delete the group ${group.name}?`}
        confirm={() => deleteGroup(project, group.id)}
        close={() => setIsDeleting(false)}
      >
        <Trans>
          Its devices stay and keep the model that they run. They belong to no group until you give them
          another one.
        </Trans>
      </ConfirmDelete>
    </Paper>
  );
}
