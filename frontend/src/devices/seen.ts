const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** "3 minutes ago", in the language of the page. */
export function ago(time: string, now: number, locale: string): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  for (const [unit, size] of UNITS) {
    if (seconds >= size) return format.format(-Math.floor(seconds / size), unit);
  }
  return format.format(-seconds, "second");
}

/** Whether a device has missed several polls of its group, so that something is probably wrong with it or its network. */
export function isLate(lastSeen: string | null, pollSeconds: number, now: number): boolean {
  return lastSeen !== null && now - Date.parse(lastSeen) > (3 * pollSeconds + 60) * 1000;
}

/** What the images that a device sends name as their source. Names may be given twice, so the end of its id is there. */
export function sourceOf({ id, name }: { id: string; name: string }): string {
  return [...`device ${name} (${id.replaceAll("-", "").slice(-6)})`].slice(0, 100).join("");
}

/** Devices that were told of a roll-out before it was stopped, and have not reported: they take it all the same. */
export function stillTake(state: string, { told, reported }: { told: number; reported: number }): number {
  return state === "stopped" ? Math.max(0, told - reported) : 0;
}
