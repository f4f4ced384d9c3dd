import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { send } from "../api/client";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import { queryClient } from "../app/queries";
import type { DevicesSearch } from "./search";

type Schemas = components["schemas"];
export type Device = Schemas["Device"];
export type DeviceKey = Schemas["DeviceKey"];
export type DeviceGroup = Schemas["DeviceGroup"];
export type Deployment = Schemas["Deployment"];
export type NewEnrolmentCode = Schemas["NewEnrolmentCode"];
export type DeploymentAction = "advance" | "resume" | "rollback" | "stop";

interface Page<Row> {
  next: string | null;
  results: Row[];
}

const json = () => ({ "Content-Type": "application/json", "Idempotency-Key": uuid() });
const LIVE_MS = 15_000;

export function useGroups(project: string) {
  return useQuery({
    queryKey: [...keys.devices(project), "groups"],
    queryFn: async () =>
      (await send<Page<DeviceGroup>>("GET", `/api/v1/device-groups/?project=${project}&page_size=200`))
        .results,
  });
}

/** Devices, page after page. When one was last seen changes without an event, so they are read again now and then. */
export function useDevices(project: string, { group, health }: DevicesSearch) {
  const query = new URLSearchParams({ project, page_size: "100", revoked: "false" });
  if (group) query.set("group", group);
  if (health) query.set("health", health);
  const address = `/api/v1/devices/?${query}`;
  return useInfiniteQuery({
    queryKey: [...keys.devices(project), "list", address],
    initialPageParam: address,
    queryFn: ({ pageParam }) => send<Page<Device>>("GET", pageParam),
    getNextPageParam: ({ next }) => next,
    refetchInterval: LIVE_MS,
  });
}

/** Devices that somebody should look at: the first of them. */
export function useAlarmed(project: string) {
  return useQuery({
    queryKey: [...keys.devices(project), "alarmed"],
    queryFn: () =>
      send<Page<Device>>("GET", `/api/v1/devices/?project=${project}&alarm=any&revoked=false&page_size=20`),
    refetchInterval: LIVE_MS,
  });
}

export function useDevice(project: string, id: string) {
  return useQuery({
    queryKey: [...keys.devices(project), "one", id],
    queryFn: () => send<Device>("GET", `/api/v1/devices/${id}/`),
    refetchInterval: LIVE_MS,
  });
}

/** What the group of a device was told to run, the newest first. */
export function useHistory(project: string, group: string | null) {
  return useQuery({
    queryKey: [...keys.devices(project), "history", group],
    enabled: group !== null,
    queryFn: () =>
      send<Page<Deployment>>(
        "GET",
        `/api/v1/deployments/?project=${project}&group=${group}&page_size=50&ordering=-id`,
      ),
  });
}

/** The newest roll-outs of the project. */
export function useDeployments(project: string) {
  return useQuery({
    queryKey: [...keys.devices(project), "deployments"],
    queryFn: async () =>
      (
        await send<Page<Deployment>>(
          "GET",
          `/api/v1/deployments/?project=${project}&page_size=100&ordering=-id`,
        )
      ).results,
    refetchInterval: LIVE_MS,
  });
}

export function useDeployment(project: string, id: string) {
  return useQuery({
    queryKey: [...keys.devices(project), "deployments", id],
    queryFn: () => send<Deployment>("GET", `/api/v1/deployments/${id}/`),
    refetchInterval: ({ state }) => (state.data?.state === "rolling" ? 5000 : false),
  });
}

async function changed<Answer>(project: string, work: Promise<Answer>): Promise<Answer> {
  const answer = await work;
  await queryClient.invalidateQueries({ queryKey: keys.devices(project) });
  return answer;
}

export function makeGroup(project: string, name: string): Promise<DeviceGroup> {
  const body = JSON.stringify({ project, name });
  return changed(project, send<DeviceGroup>("POST", "/api/v1/device-groups/", body, json()));
}

export type GroupChange = Partial<
  Pick<DeviceGroup, "name" | "poll_seconds" | "uncertain_below" | "uncertain_per_day" | "feedback_dataset">
>;

export function changeGroup(project: string, id: string, change: GroupChange): Promise<DeviceGroup> {
  const body = JSON.stringify(change);
  return changed(project, send<DeviceGroup>("PATCH", `/api/v1/device-groups/${id}/`, body, json()));
}

export function deleteGroup(project: string, id: string): Promise<unknown> {
  return changed(project, send("DELETE", `/api/v1/device-groups/${id}/`));
}

export type EnrolmentCode = components["schemas"]["EnrolmentCode"];

/** Codes that still let devices in. */
export function useCodes(project: string, isOpen: boolean) {
  return useQuery({
    queryKey: [...keys.devices(project), "codes"],
    enabled: isOpen,
    queryFn: () => send<{ results: EnrolmentCode[] }>("GET", `/api/v1/enrolment-codes/?project=${project}`),
  });
}

export function endCode(project: string, id: string): Promise<unknown> {
  return changed(project, send("DELETE", `/api/v1/enrolment-codes/${id}/`));
}

export function makeCode(
  project: string,
  asked: { group: string | null; uses: number; hours: number },
): Promise<NewEnrolmentCode> {
  const body = JSON.stringify({ project, ...asked });
  return changed(project, send<NewEnrolmentCode>("POST", "/api/v1/enrolment-codes/", body, json()));
}

export function moveDevice(project: string, id: string, group: string | null): Promise<Device> {
  const body = JSON.stringify({ group });
  return changed(project, send<Device>("PATCH", `/api/v1/devices/${id}/`, body, json()));
}

/** A new key, shown this once. A device whose access was ended is let in again. */
export function rotateKey(project: string, id: string): Promise<DeviceKey> {
  return changed(project, send<DeviceKey>("POST", `/api/v1/devices/${id}/rotate-key/`, "{}", json()));
}

export function revokeDevice(project: string, id: string): Promise<unknown> {
  return changed(project, send("POST", `/api/v1/devices/${id}/revoke/`, "{}", json()));
}

export function deploy(
  project: string,
  asked: { group: string; model: string; kind: string; steps: number[]; step_minutes: number; note: string },
): Promise<Deployment> {
  return changed(project, send<Deployment>("POST", "/api/v1/deployments/", JSON.stringify(asked), json()));
}

export function act(
  project: string,
  id: string,
  action: DeploymentAction,
  force = false,
): Promise<Deployment> {
  const body = JSON.stringify(force ? { force } : {});
  return changed(project, send<Deployment>("POST", `/api/v1/deployments/${id}/${action}/`, body, json()));
}
