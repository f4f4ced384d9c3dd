import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Group, Menu, Text, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { api } from "../api/client";
import { useMe } from "../api/session";
import { useRegistry } from "../keyboard/registry";
import { prefer } from "../preferences/preferences";
import { useProject, useProjects } from "../projects/queries";
import { Icon } from "../ui/Icon";
import { ActivityTray } from "./ActivityTray";
import { openPalette } from "./CommandPalette";
import { activateLanguage, type Language, languages } from "./language";
import { queryClient } from "./queries";
import { SavedState } from "./SavedState";

export function TopBar() {
  const { t } = useLingui();
  const { project } = useParams({ strict: false });
  return (
    <Group h="100%" px="sm" gap="xs" wrap="nowrap" justify="space-between">
      <Group gap="xs" wrap="nowrap" miw={0}>
        <UnstyledButton component={Link} to="/" aria-label={t`Your projects`}>
          <Group gap={8} wrap="nowrap">
            <Logo />
            <Text fw={700} visibleFrom="xs">
              ML Studio
            </Text>
          </Group>
        </UnstyledButton>
        {project && <ProjectSwitcher project={project} />}
      </Group>
      <Group gap={4} wrap="nowrap">
        <SavedState />
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          onClick={openPalette}
          aria-label={t`Search and commands`}
        >
          <Icon name="search" />
        </ActionIcon>
        <ActivityTray />
        <AccountMenu />
      </Group>
    </Group>
  );
}

function Logo() {
  return (
    <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0b6e99" />
      <rect x="7" y="9" width="18" height="14" rx="2" fill="none" stroke="#fff" strokeWidth="2.2" />
      <path d="M7 20l5-5 4 4 3-3 6 5" fill="none" stroke="#fff" strokeWidth="2.2" strokeLinejoin="round" />
      <circle cx="20.5" cy="13" r="1.8" fill="#fff" />
    </svg>
  );
}

function ProjectSwitcher({ project }: { project: string }) {
  const { data: current } = useProject(project);
  const { data: all } = useProjects();
  return (
    <Menu position="bottom-start" width={280}>
      <Menu.Target>
        <UnstyledButton miw={0}>
          <Group gap={4} wrap="nowrap" miw={0}>
            <Text className="quiet" aria-hidden>
              /
            </Text>
            <Text truncate fw={600} maw={{ base: 130, sm: 320 }}>
              {current?.name ?? "…"}
            </Text>
            <Icon name="chevron-down" size={15} />
          </Group>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown mah="70vh" style={{ overflowY: "auto" }}>
        {all?.map((one) => (
          <Menu.Item key={one.id} component={Link} to={`/projects/${one.id}`}>
            {one.name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item component={Link} to="/" leftSection={<Icon name="layout-grid" size={16} />}>
          <Trans>All projects</Trans>
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function AccountMenu() {
  const { t, i18n } = useLingui();
  const me = useMe();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const logout = async () => {
    await api.POST("/api/v1/auth/logout/");
    queryClient.clear();
    await navigate({ to: "/login" });
  };
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t`Your account`}>
          <Icon name="user" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{me.username}</Menu.Label>
        <Menu.Item component={Link} to="/account" leftSection={<Icon name="settings" size={16} />}>
          <Trans>Account</Trans>
        </Menu.Item>
        {me.is_staff && (
          <Menu.Item component={Link} to="/system" leftSection={<Icon name="database" size={16} />}>
            <Trans>System</Trans>
          </Menu.Item>
        )}
        <Menu.Item
          leftSection={<Icon name="keyboard" size={16} />}
          onClick={() => useRegistry.setState({ sheetIsOpen: true })}
        >
          <Trans>Keys</Trans>
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>
          <Trans>Appearance</Trans>
        </Menu.Label>
        {(["light", "dark", "auto"] as const).map((scheme) => (
          <Menu.Item
            key={scheme}
            leftSection={
              <Icon
                name={({ light: "sun", dark: "moon", auto: "device-desktop" } as const)[scheme]}
                size={16}
              />
            }
            rightSection={colorScheme === scheme ? <Icon name="check" size={16} label={t`chosen`} /> : null}
            onClick={() => {
              setColorScheme(scheme);
              prefer({ theme: scheme });
            }}
          >
            {{ light: t`Light`, dark: t`Dark`, auto: t`As the system` }[scheme]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>
          <Trans>Language</Trans>
        </Menu.Label>
        {(Object.keys(languages) as Language[]).map((language) => (
          <Menu.Item
            key={language}
            lang={language}
            leftSection={<Icon name="language" size={16} />}
            rightSection={i18n.locale === language ? <Icon name="check" size={16} label={t`chosen`} /> : null}
            onClick={() => {
              void activateLanguage(language);
              prefer({ language });
            }}
          >
            {languages[language]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item component="a" href="/api/docs/" leftSection={<Icon name="external-link" size={16} />}>
          <Trans>HTTP interface</Trans>
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="logout" size={16} />} onClick={() => void logout()}>
          <Trans>Log out</Trans>
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
