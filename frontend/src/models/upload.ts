import { useQuery } from "@tanstack/react-query";
import { api, send } from "../api/client";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import type { Annotation, Job, StudioImage, Task } from "../api/types";
import { queryClient } from "../app/queries";
import { sendInParts } from "../imports/sendInParts";
import { type Model, type Prediction, predict } from "./queries";

/** As many of the project's images show what a model says. */
const PREVIEW_IMAGES = 8;

/** What a person says of a model from elsewhere; numbers as they are typed, "" for what the file says itself. */
export type Said = {
  name: string;
  labels: string;
  width: string;
  height: string;
  channels: string;
  scaling: string;
  resize: string;
  anchors: string;
};

/** The labels as most programs number them: by their names. */
export function guessedLabels(names: readonly string[]): string {
  return [...names].sort().join("\n");
}

/** What is sent of it: nothing of what was left open, and of a detector only what detectors have. */
export function uploadBody(
  project: string,
  task: Task,
  upload: string,
  said: Said,
): Record<string, string | number> {
  const { name, labels, width, height, channels, scaling, resize, anchors } = said;
  return {
    project,
    upload,
    labels,
    ...(name.trim() ? { name } : {}),
    ...(width ? { input_width: Number(width) } : {}),
    ...(height ? { input_height: Number(height) } : {}),
    ...(task === "classification" ? { channels, scaling, resize } : {}),
    ...(task === "detection" && anchors.trim() ? { anchors } : {}),
  };
}

/** Sends the file in parts and has it read. Returns the job that reads and checks it. */
export async function uploadModel(
  project: string,
  task: Task,
  file: File,
  said: Said,
  { onProgress, signal }: { onProgress: (sent: number) => void; signal: AbortSignal },
): Promise<string> {
  const upload = await sendInParts(file, { name: file.name, fingerprint: uuid(), onProgress, signal });
  const { id } = await send<Job>(
    "POST",
    "/api/v1/models/",
    JSON.stringify(uploadBody(project, task, upload, said)),
    { "Content-Type": "application/json", "Idempotency-Key": uuid() },
  );
  await queryClient.invalidateQueries({ queryKey: ["activity"] });
  return id;
}

/** Images of the project to look at a model with: labelled ones where there are any. */
export function usePreviewImages(project: string) {
  return useQuery({
    queryKey: [...keys.images(project), "preview"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async (): Promise<StudioImage[]> => {
      const query = { project, page_size: PREVIEW_IMAGES, ordering: "random" as const, seed: 1 };
      const labelled = await api.GET("/api/v1/images/", { params: { query: { ...query, annotated: true } } });
      if (labelled.data?.results.length) return labelled.data.results as StudioImage[];
      const any = await api.GET("/api/v1/images/", { params: { query } });
      return (any.data?.results ?? []) as StudioImage[];
    },
  });
}

/** What the model says of an image that the studio has. */
export function usePreview(model: Model, image: StudioImage) {
  return useQuery({
    queryKey: ["preview", model.id, image.id],
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
    queryFn: async (): Promise<Prediction> => {
      const content = await (await fetch(image.file_url)).blob();
      const file = new File([content], image.filename, { type: content.type });
      const { predictions, rejected } = await predict(model.id, file, null);
      const [prediction] = predictions;
      if (!prediction) throw new Error(rejected[0]?.detail);
      return prediction;
    },
  });
}

/** The labels that a person or a file has given the whole image; what a model suggests is none. */
export function labelsOf({ annotations }: Pick<StudioImage, "annotations">): string[] {
  return annotations.filter(isOfImage).map(({ label }) => label);
}

const isOfImage = ({ box, confirmed }: Annotation) => box === null && confirmed;
