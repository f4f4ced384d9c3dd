import { QueryClient } from "@tanstack/react-query";
import { asStudioError } from "../api/errors";
import { keys } from "../api/keys";
import { whenOwnerChanges } from "../api/owner";
import { Refresher } from "../api/refresher";

let isFirst = true;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What the studio refuses stays refused; what it cannot answer now is asked again.
      retry: (count, error) => asStudioError(error).isTemporary && count < 3,
      retryDelay: (count, error) => 1000 * (asStudioError(error).retryAfter ?? 2 ** count),
    },
    mutations: { retry: false },
  },
});

/** For what goes stale many times in a row. */
export const refresher = new Refresher(queryClient);

// Pages that a session left open when it ended show nothing of it to who logs in next.
whenOwnerChanges(() => {
  if (isFirst) isFirst = false;
  else queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.session[0] });
});
