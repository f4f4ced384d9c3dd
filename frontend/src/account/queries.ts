import { useQuery } from "@tanstack/react-query";
import { api, send } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import { sessionQuery } from "../api/session";
import { queryClient } from "../app/queries";

async function begin(): Promise<void> {
  queryClient.removeQueries({ queryKey: keys.session });
  await queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 });
}

export async function login(username: string, password: string): Promise<void> {
  await api.POST("/api/v1/auth/login/", { body: { username, password, session: true } });
  await begin();
}

export async function registerUser(
  username: string,
  email: string,
  password: string,
  invitation: string,
): Promise<void> {
  await api.POST("/api/v1/auth/register/", {
    body: { username, email, password, session: true, invitation },
  });
  await begin();
}

export async function askForReset(email: string): Promise<void> {
  await api.POST("/api/v1/auth/password/reset/", { body: { email } });
}

export async function setNewPassword(uid: string, token: string, password: string): Promise<void> {
  await api.POST("/api/v1/auth/password/reset/confirm/", { body: { uid, token, new_password: password } });
}

export async function changePassword(current: string, next: string): Promise<void> {
  await api.POST("/api/v1/users/me/password/", { body: { current_password: current, new_password: next } });
}

/** The page of the one project that a new account has, or of all. */
export async function onlyProject(): Promise<string> {
  const { results } = await send<{ results: { id: string }[] }>("GET", "/api/v1/projects/");
  return results[0] ? `/projects/${results[0].id}` : "/";
}

export type Me = components["schemas"]["Me"];
export type Limit = components["schemas"]["Limit"];
export type Token = components["schemas"]["Token"];
export type NewToken = components["schemas"]["NewToken"];
export type Scope = components["schemas"]["TokenScopeName"];

const OWN = ["account"] as const;

/** The profile with what one has of what all share. */
export function useOwn() {
  return useQuery({
    queryKey: [...OWN, "me"],
    queryFn: async (): Promise<Me> => {
      const { data } = await api.GET("/api/v1/users/me/");
      return data as Me;
    },
  });
}

/** A new mail address needs the password, and counts when the mail to it was answered. */
export async function changeProfile(body: {
  first_name?: string;
  last_name?: string;
  email?: string;
  current_password?: string;
}): Promise<void> {
  await api.PATCH("/api/v1/users/me/", { body });
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: OWN }),
    queryClient.invalidateQueries({ queryKey: keys.session }),
  ]);
}

export function useTokens() {
  return useQuery({
    queryKey: [...OWN, "tokens"],
    queryFn: async (): Promise<Token[]> => {
      const { data } = await api.GET("/api/v1/tokens/", { params: { query: { page_size: 500 } } });
      return data?.results ?? [];
    },
  });
}

export async function makeToken(
  name: string,
  days: number | null,
  scope: Scope,
  project: string | null,
): Promise<NewToken> {
  const body = { name, expires_in_days: days, scope, project };
  const { data } = await api.POST("/api/v1/tokens/", { body });
  await queryClient.invalidateQueries({ queryKey: OWN });
  return data as NewToken;
}

export async function revokeToken(id: string): Promise<void> {
  await api.DELETE("/api/v1/tokens/{id}/", { params: { path: { id } } });
  await queryClient.invalidateQueries({ queryKey: OWN });
}

export async function logOutEverywhere(): Promise<void> {
  await api.POST("/api/v1/auth/logout-all/");
  queryClient.clear();
}

export async function deleteAccount(): Promise<void> {
  await api.DELETE("/api/v1/users/me/");
  queryClient.clear();
}
