import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { NotFoundPage } from "./app/ErrorPage";
import { readCompareSearch } from "./compare/search";
import { readDevicesSearch } from "./devices/search";
import { readFilter } from "./gallery/filter";
import { readLiveSearch } from "./live/search";
import { readQualitySearch } from "./quality/search";
import { readDuplicatesSearch } from "./review/kinds";
import { shell, text } from "./shellRoutes";
import { readSnapshotSearch } from "./snapshots/search";
import { readListSearch } from "./trainings/listSearch";
import { readTrySearch } from "./try/search";
import { readVideoSearch } from "./videos/search";

/** The pages of one project. */
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
const live = createRoute({
  getParentRoute: () => project,
  path: "/review/live",
  validateSearch: readLiveSearch,
  component: lazyRouteComponent(() => import("./live/LivePage")),
});
const map = createRoute({
  getParentRoute: () => project,
  path: "/review/map",
  validateSearch: readFilter,
  component: lazyRouteComponent(() => import("./map/MapPage")),
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
const nothing = createRoute({ getParentRoute: () => project, path: "$", component: NotFoundPage });

export const projectRoutes = project.addChildren([
  overview,
  images,
  image,
  label,
  review,
  live,
  map,
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
  nothing,
]);
