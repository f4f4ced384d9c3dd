import { useLingui } from "@lingui/react/macro";
import { Center, Loader, Menu, NavLink, ScrollArea, Stack, UnstyledButton } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useMatchRoute, useParams, useSearch } from "@tanstack/react-router";
import { asStudioError, isInTheWay } from "../api/errors";
import { NothingLeft, redo, type Step, undo } from "../history/history";
import { whenMade } from "../history/whenMade";
import { DropZone } from "../imports/DropZone";
import { useShortcut } from "../keyboard/useShortcut";
import { useProject } from "../projects/queries";
import { Icon } from "../ui/Icon";
import type { IconName } from "../ui/icon-paths";
import { ErrorPage } from "./ErrorPage";
import classes from "./ProjectFrame.module.css";

interface Place {
  to: string;
  title: string;
  icon: IconName;
  exact?: boolean;
}

function usePlaces(project: string): Place[] {
  const { t } = useLingui();
  const base = `/projects/${project}`;
  return [
    { to: base, title: t`Overview`, icon: "home", exact: true },
    { to: `${base}/images`, title: t`Images`, icon: "photo" },
    { to: `${base}/label`, title: t({ message: "Label", context: "verb" }), icon: "tag" },
    { to: `${base}/review`, title: t`Review`, icon: "circle-check" },
    { to: `${base}/videos`, title: t`Videos`, icon: "video" },
    { to: `${base}/trainings`, title: t`Trainings`, icon: "chart-bar" },
    { to: `${base}/models`, title: t`Models`, icon: "brain" },
    { to: `${base}/try`, title: t`Try`, icon: "sparkles" },
    { to: `${base}/devices`, title: t`Devices`, icon: "devices" },
    { to: `${base}/labels`, title: t`Labels`, icon: "palette" },
    { to: `${base}/datasets`, title: t`Datasets`, icon: "database" },
    { to: `${base}/import`, title: t`Import`, icon: "upload" },
    { to: `${base}/settings`, title: t`Settings`, icon: "settings" },
  ];
}

/** Which place the page that is open belongs to. Boxes are drawn on the page of an image: who labels is under Label there too. */
function useIsHere(project: string): (place: Place) => boolean {
  const matches = useMatchRoute();
  const { annotated } = useSearch({ strict: false });
  const { data } = useProject(project);
  const isLabelling =
    data?.task === "detection" &&
    annotated === false &&
    Boolean(matches({ to: "/projects/$project/images/$image" }));
  const base = `/projects/${project}`;
  return ({ to, exact }) => (isLabelling ? to === `${base}/label` : Boolean(matches({ to, fuzzy: !exact })));
}

/** The pages of one project, with its rail at the left, or a bar at the bottom of a narrow screen. */
export function ProjectFrame() {
  const { t } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project" });
  const { data, error } = useProject(project);
  const client = useQueryClient();
  const isNarrow = useMediaQuery("(max-width: 700px)");
  const places = usePlaces(project);
  const isHere = useIsHere(project);
  const report = async (move: Promise<Step | undefined>, done: (title: string) => string) => {
    try {
      const step = await move;
      if (step) notifications.show({ message: done(step.title), autoClose: 2500 });
    } catch (problem) {
      const message =
        problem instanceof NothingLeft
          ? t`Someone else has changed this since. Nothing was undone.`
          : asStudioError(problem).message;
      notifications.show({ color: "red", message });
    }
  };
  const scope = t`Everywhere`;
  useShortcut({
    id: "project.undo",
    scope,
    title: t`Undo`,
    keys: "Mod+Z",
    run: () =>
      void report(
        whenMade(client).then(() => undo(project)),
        (title) => t`Undone: ${title}`,
      ),
  });
  useShortcut({
    id: "project.redo",
    scope,
    title: t`Redo`,
    keys: ["Mod+Shift+Z", "Mod+Y"],
    run: () =>
      void report(
        whenMade(client).then(() => redo(project)),
        (title) => t`Done again: ${title}`,
      ),
  });
  if (isInTheWay(error, data)) return <ErrorPage error={error} reset={() => undefined} />;
  if (!data)
    return (
      <Center mih="60vh">
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  return (
    <div className={classes.frame}>
      {isNarrow ? <BottomBar places={places} isHere={isHere} /> : <Rail places={places} isHere={isHere} />}
      <div className={classes.content}>
        <Outlet />
      </div>
      <DropZone project={project} />
    </div>
  );
}

/** Which place is open is said here: a link by itself says it of the images too, while one labels. */
const EXACT = { exact: true };

interface Places {
  places: Place[];
  isHere: (place: Place) => boolean;
}

function Rail({ places, isHere }: Places) {
  const { t } = useLingui();
  return (
    <nav className={classes.rail} aria-label={t`Project`}>
      <ScrollArea h="100%">
        <Stack gap={2} p="xs">
          {places.map((place) => {
            const isOpen = isHere(place);
            return (
              <NavLink
                key={place.to}
                component={Link}
                to={place.to}
                activeOptions={EXACT}
                label={place.title}
                leftSection={<Icon name={place.icon} />}
                active={isOpen}
                aria-current={isOpen ? "page" : undefined}
                className={classes.link}
              />
            );
          })}
        </Stack>
      </ScrollArea>
    </nav>
  );
}

/** As many tabs as a thumb can tell apart; the other pages are in a menu. */
const TABS = 4;

function BottomBar({ places, isHere }: Places) {
  const { t } = useLingui();
  const others = places.slice(TABS);
  return (
    <nav className={classes.bottom} aria-label={t`Project`} data-tabs>
      {places.slice(0, TABS).map((place) => (
        <UnstyledButton
          key={place.to}
          component={Link}
          to={place.to}
          activeOptions={EXACT}
          className={classes.tab}
          data-active={isHere(place) || undefined}
          aria-current={isHere(place) ? "page" : undefined}
        >
          <Icon name={place.icon} size={20} />
          <span className={classes.name}>{place.title}</span>
        </UnstyledButton>
      ))}
      <Menu position="top-end" width={220}>
        <Menu.Target>
          <UnstyledButton className={classes.tab} data-active={others.some(isHere) || undefined}>
            <Icon name="dots" size={20} />
            <span className={classes.name}>{t`More`}</span>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          {others.map((place) => (
            <Menu.Item
              key={place.to}
              component={Link}
              to={place.to}
              leftSection={<Icon name={place.icon} size={18} />}
              aria-current={isHere(place) ? "page" : undefined}
            >
              {place.title}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </nav>
  );
}
