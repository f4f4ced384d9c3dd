import { create } from "zustand";
import { api } from "../api/client";
import { asStudioError } from "../api/errors";
import { keys } from "../api/keys";
import type { Me, Session } from "../api/session";
import { queryClient } from "../app/queries";
import { asBody, asPending, merged, type Pending, type Preferences, without } from "./pending";

/** Preferences of the person who is logged in: used from this browser at once, and sent to the studio after it. */
interface Store {
  user: string | null;
  server: Preferences;
  pending: Pending;
}

const AGAIN = 10_000;
const keptUnder = (user: string, part: "server" | "pending") => `studio.preferences.${user}.${part}`;

export const usePreferenceStore = create<Store>(() => ({ user: null, server: {}, pending: {} }));

export function preferences(): Preferences {
  const { server, pending } = usePreferenceStore.getState();
  return merged(server, pending);
}

export function usePreferences(): Preferences {
  const { server, pending } = usePreferenceStore();
  return merged(server, pending);
}

function read<Value extends object>(user: string, part: "server" | "pending"): Value {
  try {
    return JSON.parse(localStorage.getItem(keptUnder(user, part)) ?? "{}") as Value;
  } catch {
    return {} as Value;
  }
}

function write(user: string, part: "server" | "pending", value: object): void {
  try {
    localStorage.setItem(keptUnder(user, part), JSON.stringify(value));
  } catch {
    // A full or forbidden storage: the studio has it all the same.
  }
}

/** The studio's answer about who is logged in brings what it keeps. */
export function adoptPreferences(user: string, server: Preferences): void {
  const pending = read<Pending>(user, "pending");
  write(user, "server", server);
  usePreferenceStore.setState({ user, server, pending });
  if (Object.keys(pending).length > 0) void flushPreferences();
}

/** Changes some; the rest stays as it is, here and in other browsers. */
export function prefer(change: { [Name in keyof Preferences]?: Preferences[Name] | null }): void {
  const { user } = usePreferenceStore.getState();
  // Another tab may have added to it.
  const before = user ? read<Pending>(user, "pending") : {};
  const pending = { ...before, ...asPending(change as Parameters<typeof asPending>[0]) };
  if (user) write(user, "pending", pending);
  usePreferenceStore.setState({ pending });
  void flushPreferences();
}

let isSending = false;

export async function flushPreferences(): Promise<void> {
  const { user, pending } = usePreferenceStore.getState();
  if (!user || isSending || Object.keys(pending).length === 0) return;
  isSending = true;
  try {
    const { data } = await api.PATCH("/api/v1/users/me/", { body: { preferences: asBody(pending) } });
    settle(user, pending, data?.preferences as Preferences | undefined);
    isSending = false;
    await flushPreferences();
  } catch (problem) {
    isSending = false;
    const { isTemporary, status } = asStudioError(problem);
    // What it could not hear is sent later; after a login that ended, when there is one again.
    if (isTemporary) setTimeout(() => void flushPreferences(), AGAIN);
    // What the studio refuses, as too large, it will refuse again.
    else if (status === 400 || status === 413) settle(user, pending, undefined);
  }
}

function settle(user: string, sent: Pending, server: Preferences | undefined): void {
  const rest = without(read<Pending>(user, "pending"), sent);
  write(user, "pending", rest);
  if (server) {
    write(user, "server", server);
    // Who is logged in was read before this: it must not bring back what held then.
    queryClient.setQueryData<Session>(keys.session, (session) =>
      session?.user
        ? { ...session, user: { ...session.user, preferences: server as Me["preferences"] } }
        : session,
    );
  }
  if (usePreferenceStore.getState().user !== user) return;
  usePreferenceStore.setState((state) => ({ pending: rest, server: server ?? state.server }));
}

/** Other tabs of this browser show a change at once. */
window.addEventListener("storage", ({ key }) => {
  const { user } = usePreferenceStore.getState();
  if (!user || (key !== keptUnder(user, "server") && key !== keptUnder(user, "pending"))) return;
  usePreferenceStore.setState({
    server: read<Preferences>(user, "server"),
    pending: read<Pending>(user, "pending"),
  });
});
