import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { keys } from "./keys";
import type { Refresher } from "./refresher";
import type { components } from "./schema";

export type StudioEvent = components["schemas"]["StudioEvent"];

const ADDRESS = "/api/v1/events/";
const CHANNEL = "studio-events";
const listeners = new Set<(event: StudioEvent) => void>();

/** Hears of everything in the user's projects while the component lives. */
export function onStudioEvent(listener: (event: StudioEvent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Keeps every query fresh by one stream for all tabs of the browser, which allows six connections to a host. */
export function useEvents(refresher: Refresher): void {
  const client = useQueryClient();
  useEffect(() => {
    const hear = (event: StudioEvent) => {
      for (const listener of listeners) listener(event);
      for (const key of concerned(event))
        if (FREQUENT.has(event.kind)) refresher.soon(key);
        else void client.invalidateQueries({ queryKey: key });
    };
    return connect(hear);
  }, [client, refresher]);
}

/** What comes many times a second, while files arrive or somebody labels. */
const FREQUENT: ReadonlySet<StudioEvent["kind"]> = new Set([
  "images",
  "annotations",
  "dataset",
  "live_model",
]);

/** What an event makes stale. */
export function concerned(event: StudioEvent): (readonly unknown[])[] {
  if (event.kind === "ready") return [];
  if (event.kind === "reset" || event.kind === "access") return [[]];
  const { project } = event;
  switch (event.kind) {
    case "job":
      return [["activity"], [...keys.project(project), "jobs"]];
    case "training":
    case "search":
      return [["activity"], keys.trainings(project)];
    case "label":
      return [keys.labels(project), keys.images(project)];
    case "dataset":
      return [keys.project(project), keys.projects];
    case "annotations":
    case "images":
      return [keys.images(project), [...keys.project(project), "statistics"]];
    case "live_model":
      return [keys.live(project)];
    case "device":
    case "device_group":
    case "deployment":
      return [keys.devices(project)];
    case "project":
      return [keys.projects, keys.project(project)];
    default:
      return [keys.project(project)];
  }
}

function connect(hear: (event: StudioEvent) => void): () => void {
  if (typeof EventSource === "undefined") return () => undefined;
  const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL);
  if (channel) channel.onmessage = ({ data }: MessageEvent<StudioEvent>) => hear(data);
  const share = (event: StudioEvent) => {
    hear(event);
    channel?.postMessage(event);
  };
  const stop = navigator.locks ? leadByLock(share) : leadWhileVisible(hear);
  return () => {
    stop();
    channel?.close();
  };
}

/** The tab that has the lock listens for all of them; when it closes, another one gets it. */
function leadByLock(share: (event: StudioEvent) => void): () => void {
  const gone = new AbortController();
  let close: () => void = () => undefined;
  navigator.locks
    .request(CHANNEL, { signal: gone.signal }, () => {
      if (gone.signal.aborted) return undefined;
      return new Promise<void>((resolve) => {
        const stop = listen(share);
        close = () => {
          stop();
          resolve();
        };
      });
    })
    .catch(() => undefined);
  return () => {
    gone.abort();
    close();
  };
}

/** Browsers give locks only over HTTPS: without them only the tab that is looked at listens. */
function leadWhileVisible(hear: (event: StudioEvent) => void): () => void {
  let stop: (() => void) | null = null;
  const follow = () => {
    if (document.visibilityState === "visible" && !stop) {
      stop = listen(hear);
    } else if (document.visibilityState === "hidden" && stop) {
      stop();
      stop = null;
    }
  };
  const back = () => {
    if (document.visibilityState === "visible") hear({ kind: "reset" });
    follow();
  };
  follow();
  document.addEventListener("visibilitychange", back);
  return () => {
    document.removeEventListener("visibilitychange", back);
    stop?.();
  };
}

function listen(hear: (event: StudioEvent) => void): () => void {
  const source = new EventSource(ADDRESS);
  source.onmessage = ({ data }: MessageEvent<string>) => hear(JSON.parse(data) as StudioEvent);
  return () => source.close();
}
