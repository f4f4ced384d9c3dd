/** Every query's key begins here, so that one event can refresh what it concerns. */
export const keys = {
  session: ["session"] as const,
  projects: ["projects"] as const,
  project: (project: string) => ["projects", project] as const,
  labels: (project: string) => ["projects", project, "labels"] as const,
  datasets: (project: string) => ["projects", project, "datasets"] as const,
  statistics: (project: string, dataset: string) => ["projects", project, "statistics", dataset] as const,
  images: (project: string) => ["projects", project, "images"] as const,
  image: (project: string, image: string) => ["projects", project, "images", "one", image] as const,
  /** The live model, what it guesses of single images, and how many guesses it is sure of. */
  live: (project: string) => ["projects", project, "live"] as const,
  members: (project: string) => ["projects", project, "members"] as const,
  activity: (project: string | null) => ["activity", project] as const,
  trainings: (project: string) => ["projects", project, "trainings"] as const,
  /** Of one training, which hears each epoch itself: no event makes it stale. */
  training: (project: string) => ["projects", project, "training"] as const,
  /** Devices, their groups and what is rolled out to them. */
  devices: (project: string) => ["projects", project, "devices"] as const,
  models: (project: string) => ["projects", project, "models"] as const,
};
