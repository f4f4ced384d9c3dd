import { create } from "zustand";
import { type Model, type Prediction, predict } from "../models/queries";
import { LOWEST, rateOf, scaledTo } from "./shown";

/** What a model says of the camera's newest image. It changes ten times a second, so only what paints it listens. */
interface Watching {
  prediction: Prediction | null;
  rate: number;
  /** Milliseconds from the image of the camera to what is said of it. */
  delay: number;
  error: unknown;
}

export const NOTHING: Watching = { prediction: null, rate: 0, delay: 0, error: null };
/** Of each model that looks, by its id. */
export const useWatching = create<Record<string, Watching>>(() => ({}));
const say = (model: Model, watching: Partial<Watching>) =>
  useWatching.setState((state) => ({ [model.id]: { ...(state[model.id] ?? NOTHING), ...watching } }));

/** How long to wait after a request that failed, in milliseconds. */
const PAUSE = 1000;

/** Asks a model about one image of the camera after the other, one request at a time, until it is ended. */
export function watch(video: HTMLVideoElement, model: Model): () => void {
  const ended = new AbortController();
  const canvas = document.createElement("canvas");
  const moments: number[] = [];
  say(model, NOTHING);
  const look = async () => {
    const began = performance.now();
    const file = await imageOf(video, canvas, Math.max(model.input_width, model.input_height));
    if (!file) return void (await fresh(video));
    const answer = await predict(model.id, file, model.task === "detection" ? LOWEST : null);
    if (ended.signal.aborted) return;
    const now = performance.now();
    moments.push(now);
    if (moments.length > 100) moments.shift();
    say(model, {
      prediction: answer.predictions[0] ?? null,
      rate: rateOf(moments, now),
      delay: now - began,
      error: null,
    });
  };
  const run = async () => {
    while (!ended.signal.aborted) {
      if (document.visibilityState === "hidden") await sleep(PAUSE);
      else
        await look().catch(async (error: unknown) => {
          if (!ended.signal.aborted) say(model, { error });
          await sleep(PAUSE);
        });
    }
  };
  void run();
  return () => ended.abort();
}

/** What the camera sees now, no larger than the model looks at. Null: it has shown nothing yet. */
async function imageOf(
  video: HTMLVideoElement,
  canvas: HTMLCanvasElement,
  longest: number,
): Promise<File | null> {
  if (!video.videoWidth) return null;
  const [width, height] = scaledTo(video.videoWidth, video.videoHeight, longest);
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.drawImage(video, 0, 0, width, height);
  return jpegOf(canvas, 0.85);
}

export function jpegOf(canvas: HTMLCanvasElement, quality: number): Promise<File | null> {
  const name = `camera-${new Date().toISOString().replace(/[:.]/g, "-")}.jpg`;
  return new Promise((resolve) =>
    canvas.toBlob(
      (blob) => resolve(blob && new File([blob], name, { type: "image/jpeg" })),
      "image/jpeg",
      quality,
    ),
  );
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function fresh(video: HTMLVideoElement): Promise<unknown> {
  return Promise.race([
    new Promise((resolve) => video.addEventListener("playing", resolve, { once: true })),
    sleep(200),
  ]);
}
