export const kinds = ["staff", "inactive"] as const;

/** Which users the list shows, as it stands in the address. */
export interface UsersSearch {
  q?: string | undefined;
  only?: (typeof kinds)[number] | undefined;
}

/** Reads an address. What is odd in it is left out. */
export function readUsersSearch(search: Record<string, unknown>): UsersSearch {
  return {
    q: typeof search.q === "string" && search.q !== "" ? search.q : undefined,
    only: kinds.find((one) => one === search.only),
  };
}
