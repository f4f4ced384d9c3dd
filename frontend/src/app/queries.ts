import { QueryClient } from "@tanstack/react-query";
import { asStudioError } from "../api/errors";

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
