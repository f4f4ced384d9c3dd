export const healths = ["ok", "failed", "unknown"] as const;
export type Health = (typeof healths)[number];

/** Which devices the list shows, as it stands in the address. */
export interface DevicesSearch {
  group?: string;
  health?: Health;
}

/** Reads an address. What is odd in it is left out. */
export function readDevicesSearch(search: Record<string, unknown>): DevicesSearch {
  return {
    group: typeof search.group === "string" && search.group !== "" ? search.group : undefined,
    health: healths.find((one) => one === search.health),
  };
}
