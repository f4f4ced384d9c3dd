import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { sessionQuery } from "./api/session";
import { ErrorPage, NotFoundPage } from "./app/ErrorPage";
import { queryClient } from "./app/queries";
import { Root } from "./app/Root";
import { readFilter } from "./gallery/filter";

const root = createRootRoute({ component: Root, notFoundComponent: NotFoundPage, errorComponent: ErrorPage });

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
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
const shell = createRoute({
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

const project = createRoute({
  getParentRoute: () => shell,
  path: "/projects/$project",
  component: lazyRouteComponent(() => import("./app/ProjectFrame"), "ProjectFrame"),
});
const overview = createRoute({
  getParentRoute: () => project,
  path: "/",
  component: lazyRouteComponent(() => import("./projects/OverviewPage")),
});
const images = createRoute({
  getParentRoute: () => project,
  path: "/images",
  validateSearch: readFilter,
  component: lazyRouteComponent(() => import("./gallery/GalleryPage")),
});
const image = createRoute({
  getParentRoute: () => project,
  path: "/images/$image",
  validateSearch: readFilter,
  component: lazyRouteComponent(() => import("./annotator/AnnotatorPage")),
});
const label = createRoute({
  getParentRoute: () => project,
  path: "/label",
  validateSearch: readFilter,
  component: lazyRouteComponent(() => import("./labeling/LabelingPage")),
});
const review = createRoute({
  getParentRoute: () => project,
  path: "/review",
  validateSearch: readFilter,
  component: lazyRouteComponent(() => import("./review/ReviewPage")),
});
const labels = createRoute({
  getParentRoute: () => project,
  path: "/labels",
  component: lazyRouteComponent(() => import("./labels/LabelsPage")),
});
const datasets = createRoute({
  getParentRoute: () => project,
  path: "/datasets",
  component: lazyRouteComponent(() => import("./datasets/DatasetsPage")),
});
const importing = createRoute({
  getParentRoute: () => project,
  path: "/import",
  component: lazyRouteComponent(() => import("./imports/ImportPage")),
});
const importJob = createRoute({
  getParentRoute: () => project,
  path: "/import/$job",
  validateSearch: (search: Record<string, unknown>): { dataset?: string } => ({
    dataset: text(search.dataset),
  }),
  component: lazyRouteComponent(() => import("./imports/ImportJobPage")),
});
const settings = createRoute({
  getParentRoute: () => project,
  path: "/settings",
  component: lazyRouteComponent(() => import("./members/SettingsPage")),
});

const trash = createRoute({
  getParentRoute: () => project,
  path: "/settings/trash",
  component: lazyRouteComponent(() => import("./trash/TrashPage")),
});
const projectsTrash = createRoute({
  getParentRoute: () => shell,
  path: "/trash",
  component: lazyRouteComponent(() => import("./trash/ProjectsTrashPage")),
});

const tree = root.addChildren([
  login,
  register,
  reset,
  newPassword,
  join,
  shell.addChildren([
    projects,
    account,
    about,
    activity,
    projectsTrash,
    project.addChildren([
      overview,
      images,
      image,
      label,
      review,
      labels,
      datasets,
      importing,
      importJob,
      settings,
      trash,
    ]),
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  defaultPreload: "intent",
  scrollRestoration: true,
  defaultErrorComponent: ErrorPage,
  defaultNotFoundComponent: NotFoundPage,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
