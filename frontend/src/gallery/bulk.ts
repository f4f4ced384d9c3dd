import { undoable } from "../history/changes";

export interface BulkAnswer {
  changed: number;
  unchanged: number;
}

/** Changes many images at once. */
export function bulk(project: string, title: string, change: Record<string, unknown>) {
  return undoable<BulkAnswer>(project, title, {
    method: "POST",
    address: "/api/v1/images/bulk/",
    body: change,
  });
}
