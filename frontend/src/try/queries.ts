import { t } from "@lingui/core/macro";
import { request, send } from "../api/client";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { StudioImage } from "../api/types";
import { queryClient } from "../app/queries";

export type Box = components["schemas"]["Box"];

interface Uploaded {
  created: StudioImage[];
  duplicates: { filename: string; detail: string }[];
  rejected: { filename: string; detail: string }[];
}

export interface Correction {
  /** Of the whole image. */
  label: string | null;
  boxes: Pick<Box, "label" | "box">[];
  /** Where an image has none to many labels: all of them. */
  labels?: string[];
}

/** Puts an image into a dataset, with what a person says is on it. Returns its id. */
export async function saveImage(
  project: string,
  dataset: string,
  file: File,
  { label, boxes, labels }: Correction,
): Promise<string> {
  const form = new FormData();
  if (label) form.append("label", label);
  form.append("files", file);
  const response = await request(`/api/v1/datasets/${dataset}/images/`, {
    method: "POST",
    body: form,
    headers: { "Idempotency-Key": uuid() },
  });
  const { created, duplicates, rejected } = (await response.json()) as Uploaded;
  const [image] = created;
  if (!image) throw new Error((duplicates[0] ?? rejected[0])?.detail ?? t`The image was not taken.`);
  if (labels)
    await send(
      "PUT",
      `/api/v1/images/${image.id}/annotations/`,
      JSON.stringify(labels.map((name) => ({ label: name, confirmed: true }))),
      { "Content-Type": "application/json", "Idempotency-Key": uuid() },
    );
  if (boxes.length > 0)
    await send(
      "PATCH",
      `/api/v1/images/${image.id}/annotations/`,
      JSON.stringify({ add: boxes.map(({ label: name, box }) => ({ label: name, box, confirmed: true })) }),
      { "Content-Type": "application/json", "Idempotency-Key": uuid() },
    );
  await queryClient.invalidateQueries({ queryKey: keys.project(project) });
  return image.id;
}
