import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, setCsrfToken } from "./client";
import { keys } from "./keys";
import { noteOwner } from "./owner";
import type { components } from "./schema";

export type Session = components["schemas"]["StudioSession"];
export type Me = NonNullable<Session["user"]>;

export const sessionQuery = queryOptions({
  queryKey: keys.session,
  queryFn: async (): Promise<Session> => {
    const { data } = await api.GET("/api/v1/auth/session/");
    const session = data as Session;
    setCsrfToken(session.csrf_token);
    noteOwner(session.user?.id ?? null);
    return session;
  },
  staleTime: 60_000,
});

/** Who is logged in. Only below the pages that ask for a login. */
export function useMe(): Me {
  const { data } = useQuery(sessionQuery);
  if (!data?.user) throw new Error("This page needs a login.");
  return data.user;
}

export function useSession(): Session | undefined {
  return useQuery(sessionQuery).data;
}
