import createClient, { type Middleware } from "openapi-fetch";
import { StudioError } from "./errors";
import { noteOwner, owner } from "./owner";
import type { paths } from "./schema";

const UNSAFE = new Set(["POST", "PUT", "PATCH", "DELETE"]);

let token = "";

/** The session's answer brings the token; another tab's login changes it, which `renewToken` finds out. */
export function setCsrfToken(value: string): void {
  token = value;
}

export function csrfToken(): string {
  return token;
}

async function renewToken(): Promise<void> {
  const response = await fetch("/api/v1/auth/session/", { credentials: "same-origin" });
  if (!response.ok) return;
  const session = (await response.json()) as { csrf_token: string; user: { id: number } | null };
  token = session.csrf_token;
  noteOwner(session.user?.id ?? null);
}

/**
 * Ids come from the page's address, which may be a link that somebody has made: `..` in one leads to another operation
 * than the page means, also written `%2e%2e`.
 */
export function leadsElsewhere(address: string): boolean {
  const [path = ""] = address.split(/[?#]/);
  return path.split(/[/\\]/).some((part) => /^(\.|%2e){1,2}$/i.test(part));
}

/**
 * Sends a request, and once more with a new token when its token was too old. Not when somebody else has logged in
 * meanwhile, as in another tab: it would be done in their name.
 */
export async function request(address: string, init: RequestInit): Promise<Response> {
  if (leadsElsewhere(address)) throw StudioError.notFound();
  const attempt = () =>
    fetch(address, {
      credentials: "same-origin",
      ...init,
      headers: { ...(init.headers as Record<string, string>), "X-CSRFToken": token },
    });
  const sender = owner();
  let response: Response;
  try {
    if (!token) await renewToken();
    response = await attempt();
    if (response.status === 403 && (await StudioError.of(response)).code === "csrf_failed") {
      await renewToken();
      if (sender !== null && owner() !== sender) throw StudioError.offline();
      response = await attempt();
    }
  } catch {
    throw StudioError.offline();
  }
  noteLogin(response.status, address);
  if (!response.ok) throw await StudioError.of(response);
  return response;
}

const csrf: Middleware = {
  onRequest({ request }) {
    if (UNSAFE.has(request.method)) request.headers.set("X-CSRFToken", token);
    return request;
  },
};

const errors: Middleware = {
  async onResponse({ response }) {
    noteVersion(response.headers.get("X-Studio-Version"));
    noteLogin(response.status, response.url);
    if (!response.ok && response.status !== 304) throw await StudioError.of(response);
    return undefined;
  },
  onError() {
    return StudioError.offline();
  },
};

export const api = createClient<paths>({ baseUrl: "", credentials: "same-origin" });
api.use(csrf, errors);

const loginListeners = new Set<() => void>();

/** Somebody was logged in on this page, and is no more: the session has ended, or was ended in another tab. */
function noteLogin(status: number, address: string) {
  if (status === 401 && owner() !== null && !address.includes("/api/v1/auth/"))
    for (const listener of loginListeners) listener();
}

export function onLoginEnded(listener: () => void): () => void {
  loginListeners.add(listener);
  return () => loginListeners.delete(listener);
}

let seenVersion: string | null = null;
const listeners = new Set<() => void>();

/** A studio that was upgraded while this tab was open: the tab offers to load again. */
function noteVersion(version: string | null) {
  if (!version) return;
  if (seenVersion && seenVersion !== version) for (const listener of listeners) listener();
  seenVersion = version;
}

export function onUpgrade(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** For bodies that the typed client does not send: forms with files, and addresses the schema gives as text. */
export async function send<T>(
  method: string,
  address: string,
  body?: BodyInit,
  headers: HeadersInit = {},
): Promise<T> {
  const response = await request(address, { method, body: body ?? null, headers });
  return (response.status === 204 ? undefined : await response.json()) as T;
}
