import { createStore, del, entries, keys, set, type UseStore } from "idb-keyval";
import type { Command } from "./queue";

/** The queues of all tabs in IndexedDB: each tab writes its own, and takes over those of the same user's tabs that are gone. */
export class KeptQueues {
  private readonly store: UseStore = createStore("studio-outbox", "queues");
  private readonly channel = new BroadcastChannel("studio-outbox");
  private readonly living = new Set<string>();
  private writing: Promise<unknown> = Promise.resolve();
  private newest: Command[] = [];
  private written: Command[] | null = null;

  constructor(
    private readonly user: number,
    private readonly tab: string,
  ) {
    this.channel.onmessage = ({ data }: MessageEvent<{ ask?: true; alive?: string }>) => {
      if (data.ask) this.channel.postMessage({ alive: this.tab });
      if (data.alive) this.living.add(data.alive);
    };
  }

  private get key(): string {
    return `${this.user}/${this.tab}`;
  }

  /**
   * Writes go one after the other, so that an older state never overwrites a newer one. What has become old while it waited
   * is not written: a long queue would be written once for each key, and a tab that dies would lose the last of them.
   */
  write(queue: Command[]): Promise<unknown> {
    this.newest = queue;
    const act = async () => {
      const { newest } = this;
      if (newest === this.written) return;
      await (newest.length > 0 ? set(this.key, newest, this.store) : del(this.key, this.store));
      this.written = newest;
    };
    this.writing = this.writing.then(act).catch(() => undefined);
    return this.writing;
  }

  /** Another user has logged in: nothing is written for this one any more. */
  close(): void {
    this.channel.close();
  }

  /**
   * Takes over what tabs left behind that answer no more, and forgets it once it is taken. Two tabs may take the same: its
   * Idempotency-Key makes that harmless.
   */
  async adopt(take: (queue: Command[]) => Promise<unknown>, patience = 400): Promise<void> {
    const others = (await keys<string>(this.store)).filter(
      (key) => key.startsWith(`${this.user}/`) && key !== this.key,
    );
    if (others.length === 0) return;
    this.channel.postMessage({ ask: true });
    await new Promise((resolve) => setTimeout(resolve, patience));
    const found: Command[] = [];
    const left: string[] = [];
    for (const [key, queue] of await entries<string, Command[]>(this.store)) {
      const [user, tab] = key.split("/");
      if (user !== String(this.user) || !tab || tab === this.tab || this.living.has(tab)) continue;
      found.push(...queue);
      left.push(key);
    }
    await take(found.sort((one, other) => one.at - other.at));
    for (const key of left) await del(key, this.store);
  }
}
