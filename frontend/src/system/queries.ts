import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, send } from "../api/client";
import { uuid } from "../api/ids";
import type { components } from "../api/schema";
import { queryClient } from "../app/queries";
import type { UsersSearch } from "./search";

type Schemas = components["schemas"];
export type System = Schemas["System"];
export type StudioUser = Schemas["StudioUser"];
export type Backups = Schemas["Backups"];
export type MaintenanceRun = Schemas["MaintenanceRun"];
export type StoreStatus = Schemas["StoreStatus"];
export type Weights = Schemas["Weights"];
export type WeightsOffer = NonNullable<Weights["architectures"][number]["files"][number]["download"]>;
export type SettingInForce = Schemas["SettingInForce"];

const KEY = ["system"] as const;
const LIVE_MS = 15_000;
const RUNNING_MS = 2_000;

/** The machine, the queues and the workers: read again now and then, since no event tells of them. */
export function useSystem() {
  return useQuery({
    queryKey: [...KEY, "machine"],
    refetchInterval: LIVE_MS,
    queryFn: async (): Promise<System> => (await api.GET("/api/v1/system/")).data as System,
  });
}

interface Page<Row> {
  next: string | null;
  results: Row[];
}

export function useUsers({ q, only }: UsersSearch) {
  const query = new URLSearchParams({ page_size: "50", ordering: "username" });
  if (q) query.set("search", q);
  if (only === "staff") query.set("is_staff", "true");
  if (only === "inactive") query.set("is_active", "false");
  const address = `/api/v1/system/users/?${query}`;
  return useInfiniteQuery({
    queryKey: [...KEY, "users", address],
    initialPageParam: address,
    queryFn: ({ pageParam }) => send<Page<StudioUser>>("GET", pageParam),
    getNextPageParam: ({ next }) => next,
    placeholderData: (before) => before,
  });
}

export async function changeUser(
  id: number,
  body: { is_active?: boolean; is_staff?: boolean },
): Promise<void> {
  await api.PATCH("/api/v1/system/users/{id}/", { params: { path: { id } }, body });
  await queryClient.invalidateQueries({ queryKey: [...KEY, "users"] });
}

export function isUnfinished({ state }: Pick<MaintenanceRun, "state">): boolean {
  return state === "queued" || state === "running";
}

export function useBackups() {
  return useQuery({
    queryKey: [...KEY, "backups"],
    queryFn: async (): Promise<Backups> => (await api.GET("/api/v1/system/backups/")).data as Backups,
    refetchInterval: ({ state }) => (state.data?.runs.some(isUnfinished) ? RUNNING_MS : 60_000),
  });
}

const refresh = () => queryClient.invalidateQueries({ queryKey: [...KEY, "backups"] });
const headers = () => ({ "Idempotency-Key": uuid() });

export async function backUp(): Promise<void> {
  await api.POST("/api/v1/system/backups/", { headers: headers() });
  await refresh();
}

export async function tryRestore(): Promise<void> {
  await api.POST("/api/v1/system/backups/drill/", { headers: headers() });
  await refresh();
}

export function useStore() {
  return useQuery({
    queryKey: [...KEY, "store"],
    refetchInterval: LIVE_MS,
    queryFn: async (): Promise<StoreStatus> => (await api.GET("/api/v1/system/store/")).data as StoreStatus,
  });
}

export function useWeights() {
  return useQuery({
    queryKey: [...KEY, "weights"],
    queryFn: async (): Promise<Weights> => (await api.GET("/api/v1/system/weights/")).data as Weights,
    refetchInterval: ({ state }) => (state.data?.run && isUnfinished(state.data.run) ? RUNNING_MS : false),
  });
}

/** Asks the studio to download weights; the person was asked before. */
export async function downloadWeights(name: string): Promise<void> {
  await api.POST("/api/v1/system/weights/", {
    body: { name: name as Schemas["WeightsChoiceRequest"]["name"] },
    headers: headers(),
  });
  await queryClient.invalidateQueries({ queryKey: [...KEY, "weights"] });
}

/** Sends the files of some weights; the studio checks them before it uses them. */
export async function addWeights(name: string, files: File[]): Promise<void> {
  const form = new FormData();
  for (const file of files) form.append("files", file);
  await send("POST", `/api/v1/system/weights/${name}/files/`, form, headers());
  await queryClient.invalidateQueries({ queryKey: [...KEY, "weights"] });
}

export function useSettings() {
  return useQuery({
    queryKey: [...KEY, "settings"],
    queryFn: async (): Promise<Schemas["SettingsInForce"]> =>
      (await api.GET("/api/v1/system/settings/")).data as Schemas["SettingsInForce"],
  });
}
