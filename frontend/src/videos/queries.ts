import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, request, send } from "../api/client";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { Job, StudioImage } from "../api/types";
import { queryClient } from "../app/queries";

type Schemas = components["schemas"];
export type Video = Schemas["Video"];
export type FramesRequest = Partial<Schemas["FramesRequestRequest"]>;
export type FramesResult = Schemas["FramesResult"];
export type PredictionResult = Schemas["PredictionResult"];
export type ProxyResult = Schemas["VideoProxyResult"];
export type FoundBox = Schemas["Box"] & { track?: number };

/** Below the jobs of the project: what a job makes of a video is new whenever one of them tells something. */
const keyOf = (project: string) => [...keys.project(project), "jobs", "videos"] as const;
/** As many of the frames that were taken are marked on the timeline. */
const MOST_MARKS = 500;

interface Page<Row> {
  next: string | null;
  results: Row[];
}

export function useVideos(project: string) {
  return useInfiniteQuery({
    queryKey: [...keyOf(project), "list"],
    initialPageParam: `/api/v1/videos/?project=${project}&page_size=60`,
    queryFn: ({ pageParam }) => send<Page<Video>>("GET", pageParam),
    getNextPageParam: ({ next }) => next,
  });
}

export function useVideo(project: string, id: string) {
  return useQuery({
    queryKey: [...keyOf(project), id],
    queryFn: async (): Promise<Video> => {
      const { data } = await api.GET("/api/v1/videos/{id}/", { params: { path: { id } } });
      return data as Video;
    },
  });
}

/** All work on a video, the newest first. */
export function useVideoJobs(project: string, id: string) {
  return useQuery({
    queryKey: [...keyOf(project), id, "jobs"],
    queryFn: async (): Promise<Job[]> => {
      const query = { project, video: id, page_size: 100, ordering: "-id" as const };
      const { data } = await api.GET("/api/v1/jobs/", { params: { query } });
      return data?.results ?? [];
    },
    // Events refresh it at once; this is for a stream that was cut.
    refetchInterval: ({ state }) => (state.data?.some(isOpen) ? 4000 : false),
  });
}

export const isOpen = ({ state }: Pick<Job, "state">) => state === "queued" || state === "running";

/** The images that were cut from a video, the first of them. */
export function useTaken(project: string, id: string) {
  return useQuery({
    queryKey: [...keys.images(project), "video", id],
    queryFn: async (): Promise<StudioImage[]> => {
      const query = { project, video: id, page_size: MOST_MARKS, ordering: "id" as const };
      const { data } = await api.GET("/api/v1/images/", { params: { query } });
      return (data?.results ?? []) as StudioImage[];
    },
  });
}

/** What a model has found on one frame. */
export interface Seen {
  frame: number;
  time: number;
  width: number;
  height: number;
  boxes: FoundBox[];
  labels: { label: string; score: number }[];
}

export interface Track {
  track: number;
  label: string;
  start: number;
  end: number;
  frames: number;
}

/** One of the files of a job, read as JSON. Files of jobs never change. */
export function useJobFile<Content>(job: Job | undefined, name: string) {
  const file = job?.result?.kind === "prediction" && job.result.files?.find((one) => one.name === name);
  return useQuery({
    queryKey: ["job-file", job?.id, name],
    enabled: Boolean(file),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 120_000,
    queryFn: async (): Promise<Content> => {
      const { pathname, search } = new URL(file ? file.url : "", location.href);
      return (await (await request(pathname + search, { method: "GET" })).json()) as Content;
    },
  });
}

const json = () => ({ "Content-Type": "application/json", "Idempotency-Key": uuid() });

async function started(project: string, address: string, body: unknown): Promise<Job> {
  const job = await send<Job>("POST", address, JSON.stringify(body), json());
  await queryClient.invalidateQueries({ queryKey: keyOf(project) });
  await queryClient.invalidateQueries({ queryKey: ["activity"] });
  return job;
}

export function takeFrames(project: string, video: string, asked: FramesRequest): Promise<Job> {
  return started(project, `/api/v1/videos/${video}/frames/`, asked);
}

export function predictVideo(
  project: string,
  asked: { video: string; model: string; tracking: boolean },
): Promise<Job> {
  return started(project, "/api/v1/predictions/", asked);
}

export function makeProxy(project: string, video: string): Promise<Job> {
  return started(project, `/api/v1/videos/${video}/proxy/`, {});
}

export function readAgain(project: string, job: string): Promise<Job> {
  return started(project, `/api/v1/jobs/${job}/retry/`, {});
}

export async function deleteVideo(project: string, video: string, frames: "keep" | "delete"): Promise<void> {
  await send("DELETE", `/api/v1/videos/${video}/?frames=${frames}`);
  await queryClient.invalidateQueries({ queryKey: keys.project(project) });
}
