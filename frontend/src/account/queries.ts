import { api, send } from "../api/client";
import { keys } from "../api/keys";
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
