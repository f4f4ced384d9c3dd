import { Trans, useLingui } from "@lingui/react/macro";
import {
  ActionIcon,
  Button,
  CopyButton,
  Group,
  Paper,
  Select,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { asStudioError } from "../../api/errors";
import type { Project } from "../../api/types";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { Icon } from "../../ui/Icon";
import { formatDay } from "../../ui/numbers";
import { changeRole, endLink, makeLink, type Role, removeMember, useLinks, useMembers } from "../queries";
import { InviteByName } from "./InviteByName";

/** Who may look at or change the project, and links that invite others. */
export function Members({ project }: { project: Project }) {
  const { t, i18n } = useLingui();
  const isOwner = project.role === "owner";
  const { data: members } = useMembers(project.id);
  const { data: links } = useLinks(project.id, isOwner);
  const [role, setRole] = useState<Role>("editor");
  const [leaving, setLeaving] = useState<{ id: string; username: string } | null>(null);
  const [address, setAddress] = useState<string | null>(null);
  const roles = { owner: t`Owner`, editor: t`Editor`, viewer: t`Viewer` };
  const attempt = (work: Promise<unknown>) =>
    void work.catch((problem) =>
      notifications.show({ color: "red", message: asStudioError(problem).message }),
    );
  const owners = members?.filter((member) => member.role === "owner").length ?? 0;
  // A project keeps an owner, so neither the role of the last one nor their place can change.
  const isLast = (role: Role | undefined) => role === "owner" && owners < 2;
  const options = (["owner", "editor", "viewer"] as const).map((value) => ({ value, label: roles[value] }));
  return (
    <Paper className="panel" p="lg">
      <Stack>
        <Title order={2} size="h4">
          <Trans>Members</Trans>
        </Title>
        {members?.map((member) => (
          <Group key={member.id} justify="space-between" wrap="nowrap">
            <Text size="sm" truncate>
              {member.username}
            </Text>
            <Group gap="xs" wrap="nowrap">
              <Select
                size="xs"
                w={120}
                aria-label={t`Role of ${member.username}`}
                data={options}
                value={member.role ?? "viewer"}
                disabled={!isOwner || isLast(member.role)}
                allowDeselect={false}
                onChange={(value) => attempt(changeRole(project.id, member.id, value as Role))}
              />
              {isOwner && !isLast(member.role) && (
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t`Remove ${member.username}`}
                  onClick={() => setLeaving(member)}
                >
                  <Icon name="trash" size={16} />
                </ActionIcon>
              )}
            </Group>
          </Group>
        ))}
        {isOwner && (
          <Stack gap="xs">
            <Group align="flex-end">
              <Select
                label={t`Invite as`}
                w={140}
                data={options}
                value={role}
                allowDeselect={false}
                onChange={(value) => setRole(value as Role)}
              />
              <Button
                variant="default"
                leftSection={<Icon name="link" size={16} />}
                onClick={() => attempt(makeLink(project.id, role).then((link) => setAddress(link.url)))}
              >
                <Trans>Make an invitation link</Trans>
              </Button>
            </Group>
            {address && (
              <Group wrap="nowrap" align="flex-end">
                <TextInput
                  flex={1}
                  readOnly
                  label={t`Give this link to up to five people. It is shown only now.`}
                  value={address}
                  onFocus={(event) => event.currentTarget.select()}
                />
                <CopyButton value={address}>
                  {({ copied, copy }) => (
                    <Button variant="default" onClick={copy}>
                      {copied ? <Trans>Copied</Trans> : <Trans>Copy</Trans>}
                    </Button>
                  )}
                </CopyButton>
              </Group>
            )}
            {links?.results.map((link) => (
              <Group key={link.id} justify="space-between" wrap="nowrap">
                <Text size="xs" className="quiet">
                  <Trans>
                    Link for {roles[link.role]}, {link.uses_left} left, until{" "}
                    {formatDay(link.expires_at, i18n.locale)}
                  </Trans>
                </Text>
                <Button
                  size="compact-xs"
                  variant="subtle"
                  onClick={() => attempt(endLink(project.id, link.id))}
                >
                  <Trans>End</Trans>
                </Button>
              </Group>
            ))}
            <InviteByName project={project.id} role={role} roleName={roles[role]} />
          </Stack>
        )}
        <ConfirmDelete
          opened={leaving !== null}
          close={() => setLeaving(null)}
          title={t`Remove ${leaving?.username ?? ""} from the project?`}
          action={t`Remove`}
          confirm={() => (leaving ? removeMember(project.id, leaving.id) : Promise.resolve())}
        >
          <Trans>
            They no longer see the project, its images and its models. What they labelled stays. They can come
            back by an invitation.
          </Trans>
        </ConfirmDelete>
      </Stack>
    </Paper>
  );
}
