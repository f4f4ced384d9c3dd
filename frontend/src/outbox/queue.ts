/** What waits for the server, in order. Pure: `outbox.ts` sends and keeps it. */
export interface Command {
  /** Also the Idempotency-Key: the server does it once, however often it is sent. */
  id: string;
  project: string;
  /** Commands about one thing are sent one after the other, each on the revision that the one before left. */
  subject: string;
  method: "PUT" | "POST" | "PATCH" | "DELETE";
  address: string;
  body: unknown;
  /** The revision the change was made on, and where it goes in the request. */
  revision: number | null;
  /** In words, for the list of what waits. */
  title: string;
  at: number;
  state: "waiting" | "sending" | "conflict" | "refused";
  /** Why the server did not take it: in its words, and as a code. */
  problem?: string;
  code?: string;
  theirs?: unknown;
}

/** Whether the newer one leaves nothing of the older one. */
function replaces(newer: Command, older: Command): boolean {
  return newer.method === "PUT" && older.method === "PUT" && newer.address === older.address;
}

/**
 * A new command. One that replaces the whole of its subject takes the place of an older one that is not on its way: where that
 * one is in conflict, the decision is about the newest; where it was refused, this one may be what the server takes.
 */
export function enqueue(queue: Command[], command: Command): Command[] {
  const last = queue.findLast((other) => other.subject === command.subject);
  if (!last || last.state === "sending" || !replaces(command, last)) return [...queue, command];
  const whole = { ...command, revision: last.revision, at: last.at };
  return queue.map((other) => {
    if (other !== last) return other;
    return last.state === "conflict" ? { ...last, ...whole, state: last.state } : whole;
  });
}

/** The commands to send now: the first of each subject, unless it waits for a person. */
export function sendable(queue: Command[], limit: number): Command[] {
  const seen = new Set<string>();
  const found: Command[] = [];
  const sending = queue.filter((command) => command.state === "sending").length;
  for (const command of queue) {
    if (!seen.has(command.subject) && command.state === "waiting" && found.length + sending < limit)
      found.push(command);
    seen.add(command.subject);
  }
  return found;
}

/** Whether the server has all that it can have: what waits for a person may wait for days. */
export function isSettled(queue: Command[]): boolean {
  return sendable(queue, 1).length === 0 && queue.every(({ state }) => state !== "sending");
}

/** The server did it: those behind it about the same thing continue on the new revision. */
export function confirmed(queue: Command[], id: string, revision: number | null): Command[] {
  const done = queue.find((command) => command.id === id);
  return queue
    .filter((command) => command.id !== id)
    .map((command) =>
      done && command.subject === done.subject && revision !== null ? { ...command, revision } : command,
    );
}

/** The server did not take it. A person is asked once about a subject, with the newest that was made of it meanwhile. */
export function failed(queue: Command[], id: string, why: Partial<Command>): Command[] {
  const command = queue.find((other) => other.id === id);
  const follows = (other: Command) => other !== command && command !== undefined && replaces(other, command);
  const newest = queue.findLast(follows);
  if (!command || !newest) return marked(queue, id, why);
  const whole = { ...newest, revision: command.revision, at: command.at };
  return queue
    .filter((other) => !follows(other))
    .map((other) => {
      if (other !== command) return other;
      return why.state === "conflict" ? { ...whole, ...why } : whole;
    });
}

export function marked(queue: Command[], id: string, change: Partial<Command>): Command[] {
  return queue.map((command) => (command.id === id ? { ...command, ...change } : command));
}

/** After a reload nobody knows whether what was being sent arrived: it is sent again, under the same key. */
export function restored(queue: Command[]): Command[] {
  return queue.map((command) => (command.state === "sending" ? { ...command, state: "waiting" } : command));
}

/** The base of a change: what its page has read, or what one's own last change left, whichever is newer. */
export function newest(read: number | null, left: number | undefined): number | null {
  return read === null || left === undefined ? read : Math.max(read, left);
}
