import { formatBytes } from "../ui/bytes";
import type { Limit } from "./queries";

/** How much of it is used, from 0 to 1. Where nothing is allowed, all of it is. */
export function shareUsed({ used, limit }: Limit): number {
  if (limit === null) return 0;
  return limit === 0 ? 1 : Math.min(1, used / limit);
}

export function isNearlyUsed(limit: Limit): boolean {
  return limit.limit !== null && shareUsed(limit) >= 0.9;
}

export function formatAmount(name: string, value: number, locale: string): string {
  return name === "bytes" ? formatBytes(value, locale) : new Intl.NumberFormat(locale).format(value);
}
