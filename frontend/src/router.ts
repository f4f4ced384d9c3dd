import { createRouter } from "@tanstack/react-router";
import { ErrorPage, NotFoundPage } from "./app/ErrorPage";
import { projectRoutes } from "./projectRoutes";
import { openRoutes, root, shell, shellPages } from "./shellRoutes";

const tree = root.addChildren([...openRoutes, shell.addChildren([...shellPages, projectRoutes])]);

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
