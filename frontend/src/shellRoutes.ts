import { createRootRoute, createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { sessionQuery } from "./api/session";
import { ErrorPage, NotFoundPage } from "./app/ErrorPage";
import { queryClient } from "./app/queries";
import { Root } from "./app/Root";
import { readSearch } from "./search/hits";
import { readUsersSearch } from "./system/search";

/** An address that nothing has: shown within the frame that it lies in, with the ways on from there. */
const NOTHING = { path: "$", component: NotFoundPage } as const;

export const root = createRootRoute({
  component: Root,
  notFoundComponent: NotFoundPage,
  errorComponent: ErrorPage,
});

/** A text of the address, if it is one. */
export const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
const withNext = (search: Record<string, unknown>): { next?: string } => ({ next: text(search.next) });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: withNext,
  component: lazyRouteComponent(() => import("./account/LoginPage")),
});
const register = createRoute({
  getParentRoute: () => root,
  path: "/register",
  validateSearch: withNext,
  component: lazyRouteComponent(() => import("./account/RegisterPage")),
});
const reset = createRoute({
  getParentRoute: () => root,
  path: "/reset",
  component: lazyRouteComponent(() => import("./account/ResetPage")),
});
const newPassword = createRoute({
  getParentRoute: () => root,
  path: "/reset/$uid/$token",
  component: lazyRouteComponent(() => import("./account/NewPasswordPage")),
});

const join = createRoute({
  getParentRoute: () => root,
  path: "/join/$invitation",
  component: lazyRouteComponent(() => import("./account/JoinPage")),
});

/** Everything below asks for a login, and comes back afterwards to where one wanted to go. */
export const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: lazyRouteComponent(() => import("./app/Shell"), "Shell"),
  beforeLoad: async ({ location }) => {
    const session = await queryClient.ensureQueryData(sessionQuery);
    if (!session.user) throw redirect({ to: "/login", search: { next: location.href } });
  },
});

const projects = createRoute({
  getParentRoute: () => shell,
  path: "/",
  component: lazyRouteComponent(() => import("./projects/ProjectsPage")),
});
const account = createRoute({
  getParentRoute: () => shell,
  path: "/account",
  component: lazyRouteComponent(() => import("./account/AccountPage")),
});
const keys = createRoute({
  getParentRoute: () => shell,
  path: "/help/keys",
  component: lazyRouteComponent(() => import("./help/KeysPage")),
});
const accountKeys = createRoute({
  getParentRoute: () => shell,
  path: "/account/keys",
  beforeLoad: () => {
    throw redirect({ to: "/help/keys", replace: true });
  },
});
const search = createRoute({
  getParentRoute: () => shell,
  path: "/search",
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import("./search/SearchPage")),
});
const about = createRoute({
  getParentRoute: () => shell,
  path: "/about",
  component: lazyRouteComponent(() => import("./account/AboutPage")),
});
const activity = createRoute({
  getParentRoute: () => shell,
  path: "/activity",
  component: lazyRouteComponent(() => import("./activity/ActivityPage")),
});

const system = createRoute({
  getParentRoute: () => shell,
  path: "/system",
  component: lazyRouteComponent(() => import("./system/SystemFrame"), "SystemFrame"),
});
const machine = createRoute({
  getParentRoute: () => system,
  path: "/",
  component: lazyRouteComponent(() => import("./system/MachinePage")),
});
const users = createRoute({
  getParentRoute: () => system,
  path: "/users",
  validateSearch: readUsersSearch,
  component: lazyRouteComponent(() => import("./system/UsersPage")),
});
const storage = createRoute({
  getParentRoute: () => system,
  path: "/storage",
  component: lazyRouteComponent(() => import("./system/StoragePage")),
});
const backups = createRoute({
  getParentRoute: () => system,
  path: "/backups",
  component: lazyRouteComponent(() => import("./system/BackupsPage")),
});
const settingsInForce = createRoute({
  getParentRoute: () => system,
  path: "/settings",
  component: lazyRouteComponent(() => import("./system/SettingsPage")),
});
const projectsTrash = createRoute({
  getParentRoute: () => shell,
  path: "/trash",
  component: lazyRouteComponent(() => import("./trash/ProjectsTrashPage")),
});

const nothing = createRoute({ getParentRoute: () => shell, ...NOTHING });
const nothingOfSystem = createRoute({ getParentRoute: () => system, ...NOTHING });

/** The pages without a login. */
export const openRoutes = [login, register, reset, newPassword, join] as const;

/** The pages outside of a project. */
export const shellPages = [
  projects,
  account,
  keys,
  accountKeys,
  search,
  about,
  activity,
  projectsTrash,
  nothing,
  system.addChildren([machine, users, storage, backups, settingsInForce, nothingOfSystem]),
] as const;
