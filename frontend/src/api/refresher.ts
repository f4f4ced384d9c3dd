import { partialMatchKey, type QueryClient, type QueryKey } from "@tanstack/react-query";

/** Milliseconds between two refreshes: at first, and at most. */
const SHORTEST = 1000;
const LONGEST = 5000;

/**
 * Refreshes what goes stale many times in a row, as while a thousand files arrive: at once, then ever less often while it goes
 * on, and once after the last. Each refresh asks the studio for all that the page shows, and a gallery with the newest images
 * first loads and decodes another page of them.
 */
export class Refresher {
  private stale: QueryKey[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private began = 0;

  constructor(private readonly client: Pick<QueryClient, "invalidateQueries">) {}

  soon(...stale: QueryKey[]): void {
    this.stale.push(...stale);
    if (this.timer !== undefined) return;
    this.began = Date.now();
    this.now();
  }

  /** What waits, without waiting for more. */
  now(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const stale = this.stale.splice(0);
    if (stale.length === 0) return;
    const isStale = ({ queryKey }: { queryKey: QueryKey }) =>
      stale.some((key) => partialMatchKey(queryKey, key));
    void this.client.invalidateQueries({ predicate: isStale });
    const pause = Math.min(LONGEST, Math.max(SHORTEST, (Date.now() - this.began) / 2));
    this.timer = setTimeout(() => this.now(), pause);
  }
}
