import { send } from "../api/client";
import { asStudioError } from "../api/errors";
import { keys } from "../api/keys";
import { queryClient } from "../app/queries";

const made = new Map<string, Promise<void>>();

/** A folder may name a label that the project has not got yet: it is made before the first image that carries it. */
export function makeLabel(project: string, name: string): Promise<void> {
  const key = `${project}\n${name}`;
  const before = made.get(key);
  if (before) return before;
  const making = post(project, name).catch((problem) => {
    made.delete(key);
    throw problem;
  });
  made.set(key, making);
  return making;
}

/** After a refusal it is looked at again: somebody may have deleted the label meanwhile. */
export function lookAgain(project: string, name: string): void {
  made.delete(`${project}\n${name}`);
}

async function post(project: string, name: string): Promise<void> {
  try {
    await send("POST", `/api/v1/projects/${project}/labels/`, JSON.stringify({ name }), {
      "Content-Type": "application/json",
    });
    await queryClient.invalidateQueries({ queryKey: keys.labels(project) });
  } catch (problem) {
    // The label is there already, or it cannot be one: the request with the images says so for each of them.
    if (asStudioError(problem).isTemporary) throw problem;
  }
}
