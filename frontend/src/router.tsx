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
import { readCompareSearch } from "./compare/search";
import { readDevicesSearch } from "./devices/search";
import { readFilter } from "./gallery/filter";
import { readQualitySearch } from "./quality/search";
import { readDuplicatesSearch } from "./review/kinds";
import { readSearch } from "./search/hits";
import { readSnapshotSearch } from "./snapshots/search";
import { readUsersSearch } from "./system/search";
import { readListSearch } from "./trainings/listSearch";
import { readTrySearch } from "./try/search";
import { readVideoSearch } from "./videos/search";

/** An address that nothing has: shown within the frame that it lies in, with the ways on from there. */
const NOTHING = { path: "$", component: NotFoundPage } as const;

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
const suspects = createRoute({
  getParentRoute: () => project,
  path: "/review/suspects",
  validateSearch: (search: Record<string, unknown>): { model?: string; dataset?: string } => ({
    model: text(search.model),
    dataset: text(search.dataset),
  }),
  component: lazyRouteComponent(() => import("./review/SuspectsPage")),
});
const duplicates = createRoute({
  getParentRoute: () => project,
  path: "/review/duplicates",
  validateSearch: readDuplicatesSearch,
  component: lazyRouteComponent(() => import("./review/DuplicatesPage")),
});
const sentBack = createRoute({
  getParentRoute: () => project,
  path: "/review/devices",
  validateSearch: readFilter,
  component: lazyRouteComponent(() => import("./review/SentBackPage")),
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
const snapshot = createRoute({
  getParentRoute: () => project,
  path: "/snapshots/$snapshot",
  validateSearch: readSnapshotSearch,
  component: lazyRouteComponent(() => import("./snapshots/SnapshotPage")),
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
const trainings = createRoute({
  getParentRoute: () => project,
  path: "/trainings",
  validateSearch: readListSearch,
  component: lazyRouteComponent(() => import("./trainings/TrainingsPage")),
});
const train = createRoute({
  getParentRoute: () => project,
  path: "/trainings/new",
  validateSearch: (search: Record<string, unknown>): { base?: string } => ({ base: text(search.base) }),
  component: lazyRouteComponent(() => import("./trainings/TrainPage")),
});
const training = createRoute({
  getParentRoute: () => project,
  path: "/trainings/$training",
  component: lazyRouteComponent(() => import("./trainings/TrainingPage")),
});
const settingsSearch = createRoute({
  getParentRoute: () => project,
  path: "/searches/$search",
  component: lazyRouteComponent(() => import("./trainings/SearchPage")),
});
const models = createRoute({
  getParentRoute: () => project,
  path: "/models",
  component: lazyRouteComponent(() => import("./models/ModelsPage")),
});
const compare = createRoute({
  getParentRoute: () => project,
  path: "/models/compare",
  validateSearch: readCompareSearch,
  component: lazyRouteComponent(() => import("./compare/ComparePage")),
});
const modelUpload = createRoute({
  getParentRoute: () => project,
  path: "/models/upload",
  component: lazyRouteComponent(() => import("./models/UploadPage")),
});
const model = createRoute({
  getParentRoute: () => project,
  path: "/models/$model",
  component: lazyRouteComponent(() => import("./models/ModelPage")),
});
const devices = createRoute({
  getParentRoute: () => project,
  path: "/devices",
  validateSearch: readDevicesSearch,
  component: lazyRouteComponent(() => import("./devices/DevicesPage")),
});
const device = createRoute({
  getParentRoute: () => project,
  path: "/devices/$device",
  component: lazyRouteComponent(() => import("./devices/DevicePage")),
});
const deployment = createRoute({
  getParentRoute: () => project,
  path: "/deployments/$deployment",
  component: lazyRouteComponent(() => import("./devices/DeploymentPage")),
});
const quality = createRoute({
  getParentRoute: () => project,
  path: "/models/$model/quality",
  validateSearch: readQualitySearch,
  component: lazyRouteComponent(() => import("./quality/QualityPage")),
});
const trying = createRoute({
  getParentRoute: () => project,
  path: "/try",
  validateSearch: readTrySearch,
  component: lazyRouteComponent(() => import("./try/TryPage")),
});
const videos = createRoute({
  getParentRoute: () => project,
  path: "/videos",
  component: lazyRouteComponent(() => import("./videos/VideosPage")),
});
const video = createRoute({
  getParentRoute: () => project,
  path: "/videos/$video",
  validateSearch: readVideoSearch,
  component: lazyRouteComponent(() => import("./videos/VideoPage")),
});
const modelFiles = createRoute({
  getParentRoute: () => project,
  path: "/models/$model/files",
  component: lazyRouteComponent(() => import("./models/FilesPage")),
});
const lineage = createRoute({
  getParentRoute: () => project,
  path: "/models/$model/lineage",
  component: lazyRouteComponent(() => import("./models/LineagePage")),
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
const webhooks = createRoute({
  getParentRoute: () => project,
  path: "/settings/webhooks",
  component: lazyRouteComponent(() => import("./webhooks/WebhooksPage")),
});
const projectsTrash = createRoute({
  getParentRoute: () => shell,
  path: "/trash",
  component: lazyRouteComponent(() => import("./trash/ProjectsTrashPage")),
});

const nothing = createRoute({ getParentRoute: () => shell, ...NOTHING });
const nothingOfSystem = createRoute({ getParentRoute: () => system, ...NOTHING });
const nothingOfProject = createRoute({ getParentRoute: () => project, ...NOTHING });

const tree = root.addChildren([
  login,
  register,
  reset,
  newPassword,
  join,
  shell.addChildren([
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
    project.addChildren([
      overview,
      images,
      image,
      label,
      review,
      suspects,
      duplicates,
      sentBack,
      labels,
      datasets,
      snapshot,
      importing,
      importJob,
      trainings,
      train,
      training,
      settingsSearch,
      models,
      compare,
      modelUpload,
      model,
      devices,
      device,
      deployment,
      quality,
      trying,
      videos,
      video,
      modelFiles,
      lineage,
      settings,
      trash,
      webhooks,
      nothingOfProject,
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
  interface HistoryState {
    /** An image that was opened from another page than the gallery, which closing it leads back to. */
    isOnTop?: boolean;
  }
}
