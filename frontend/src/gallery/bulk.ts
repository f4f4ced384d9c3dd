import type { components } from "../api/schema";
import { undoable } from "../history/changes";

type Request = components["schemas"]["BulkRequest"];
type Without<Member, Fields extends PropertyKey> = Member extends unknown ? Omit<Member, Fields> : never;
export type Chosen = Pick<Request, "images" | "filter" | "except">;
/** What is done to the images, with what that needs. */
export type BulkChange = Without<Request, keyof Chosen>;

export interface BulkAnswer {
  changed: number;
  unchanged: number;
}

/** So many images are deleted at once, with a way back beside the message; of more one is asked first. */
const FEW = 100;

/** Whether a deletion is asked about. Always where the studio keeps nothing that was deleted. */
export function asksFirst(count: number, keepsDeleted: boolean): boolean {
  return !keepsDeleted || count > FEW;
}

/** Changes many images at once. Requests with the same `step` are taken back together. */
export function bulk(project: string, title: string, change: BulkChange & Chosen, step?: string) {
  const call = { method: "POST", address: "/api/v1/images/bulk/", body: change } as const;
  return undoable<BulkAnswer>(project, title, call, step);
}
