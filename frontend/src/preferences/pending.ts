import type { components } from "../api/schema";

/** What the studio keeps for a person, so that another browser has it too. */
type Kept = NonNullable<components["schemas"]["PatchedProfileChangeRequest"]["preferences"]>;
export type Theme = NonNullable<Kept["theme"]>;
export type TileSize = NonNullable<Kept["tile_size"]>;
export interface Preferences {
  theme?: Theme;
  language?: string;
  tile_size?: TileSize;
  keys?: Record<string, string[]>;
}

/** A change that the server may not have yet: by its path, the value, or null to remove. Each tab adds to it. */
export type Pending = Record<string, unknown>;

const KEYS = "keys.";

/** Changes as entries with a path: two that concern different things are never in each other's way. */
export function asPending(change: { [Name in keyof Preferences]: Preferences[Name] | null }): Pending {
  const { keys, ...rest } = change as Record<string, unknown> & { keys?: Record<string, string[] | null> };
  const entries = Object.entries(keys ?? {}).map(([id, value]) => [`${KEYS}${id}`, value]);
  return Object.fromEntries([...Object.entries(rest), ...entries]);
}

/** The body of the request that sends what is pending. */
export function asBody(pending: Pending): Kept {
  const body: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(pending)) {
    if (!path.startsWith(KEYS)) body[path] = value;
    else body.keys = { ...(body.keys as object | undefined), [path.slice(KEYS.length)]: value };
  }
  return body as Kept;
}

/** What holds here: what the server has, with what it has not got yet on top. */
export function merged(server: Preferences, pending: Pending): Preferences {
  const body = asBody(pending) as Preferences & { keys?: Record<string, string[] | null> };
  const keys = Object.entries({ ...server.keys, ...body.keys }).filter(([, value]) => Array.isArray(value));
  const all = { ...server, ...body, keys: Object.fromEntries(keys) as Record<string, string[]> };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined));
}

/** What is still pending once `sent` has arrived: what was changed again meanwhile stays. */
export function without(pending: Pending, sent: Pending): Pending {
  return Object.fromEntries(
    Object.entries(pending).filter(
      ([path, value]) => !(path in sent) || JSON.stringify(sent[path]) !== JSON.stringify(value),
    ),
  );
}
