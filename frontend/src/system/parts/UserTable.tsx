import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Badge, Group, Menu, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { asStudioError } from "../../api/errors";
import { ago } from "../../devices/seen";
import { formatBytes } from "../../ui/bytes";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { Icon } from "../../ui/Icon";
import { formatTime } from "../../ui/numbers";
import { changeUser, type StudioUser } from "../queries";
import classes from "../System.module.css";
import { Scroll } from "./Scroll";

export function UserTable({ users }: { users: StudioUser[] }) {
  const { t } = useLingui();
  return (
    <Scroll label={t`Users`}>
      <table className={`${classes.table} ${classes.wide}`}>
        <thead>
          <tr>
            <th scope="col">
              <Trans>User</Trans>
            </th>
            <th scope="col">
              <Trans>Last login</Trans>
            </th>
            <th scope="col" className={classes.number}>
              <Trans>Projects</Trans>
            </th>
            <th scope="col" className={classes.number}>
              <Trans>Files</Trans>
            </th>
            <th scope="col">
              <span className="visually-hidden">
                <Trans>Actions</Trans>
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <UserRow key={user.id} user={user} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function UserRow({ user }: { user: StudioUser }) {
  const { i18n } = useLingui();
  const joined = formatTime(user.date_joined, i18n.locale);
  return (
    <tr>
      <td>
        <Group gap="xs">
          <Text size="sm" fw={600}>
            {user.username}
          </Text>
          {user.is_superuser ? (
            <Badge>
              <Trans>superuser</Trans>
            </Badge>
          ) : (
            user.is_staff && (
              <Badge>
                <Trans>staff</Trans>
              </Badge>
            )
          )}
          {!user.is_active && (
            <Badge color="gray">
              <Trans>kept out</Trans>
            </Badge>
          )}
        </Group>
        <Text size="xs" className="quiet" style={{ overflowWrap: "anywhere" }}>
          {user.email}
        </Text>
      </td>
      <td>
        {user.last_login ? (
          <Text size="sm" title={formatTime(user.last_login, i18n.locale)}>
            {ago(user.last_login, Date.now(), i18n.locale)}
          </Text>
        ) : (
          <Text size="sm" className="quiet">
            –
          </Text>
        )}
        <Text size="xs" className="quiet">
          <Trans>here since {joined}</Trans>
        </Text>
      </td>
      <td className={classes.number}>{user.project_count}</td>
      <td className={classes.number}>{formatBytes(user.bytes, i18n.locale)}</td>
      <td>{user.may_change && <Actions user={user} />}</td>
    </tr>
  );
}

function Actions({ user }: { user: StudioUser }) {
  const { t } = useLingui();
  const [isClosing, setIsClosing] = useState(false);
  const attempt = (work: Promise<unknown>) =>
    void work.catch((problem) =>
      notifications.show({ color: "red", message: asStudioError(problem).message }),
    );
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={t`More about ${user.username}`}>
            <Icon name="dots" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {user.may_change_staff && (
            <Menu.Item
              leftSection={<Icon name="users" size={16} />}
              onClick={() => attempt(changeUser(user.id, { is_staff: !user.is_staff }))}
            >
              {user.is_staff ? <Trans>Take out of the staff</Trans> : <Trans>Make one of the staff</Trans>}
            </Menu.Item>
          )}
          {user.is_active ? (
            <Menu.Item
              color="red"
              leftSection={<Icon name="lock" size={16} />}
              onClick={() => setIsClosing(true)}
            >
              <Trans>Keep out</Trans>
            </Menu.Item>
          ) : (
            <Menu.Item
              leftSection={<Icon name="lock-open" size={16} />}
              onClick={() => attempt(changeUser(user.id, { is_active: true }))}
            >
              <Trans>Let in again</Trans>
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <ConfirmDelete
        opened={isClosing}
        title={t`Keep ${user.username} out?`}
        action={t`Keep out`}
        confirm={() => changeUser(user.id, { is_active: false })}
        close={() => setIsClosing(false)}
      >
        <Trans>
          They are logged out everywhere, and neither their password nor their tokens let them in. Their
          projects and what they labelled stay. You can let them in again.
        </Trans>
      </ConfirmDelete>
    </>
  );
}
