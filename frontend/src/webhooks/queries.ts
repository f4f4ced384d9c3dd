import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, send } from "../api/client";
import { uuid } from "../api/ids";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import { queryClient } from "../app/queries";

type Schemas = components["schemas"];
export type Webhook = Schemas["Webhook"];
export type NewWebhook = Schemas["NewWebhook"];
export type Delivery = Schemas["Delivery"];
export type WebhookEvent = Webhook["events"][number];

export const events: readonly WebhookEvent[] = [
  "training.finished",
  "evaluation.finished",
  "deployment.finished",
  "device.alarm",
  "job.finished",
];

interface Page<Row> {
  next: string | null;
  results: Row[];
}

const key = (project: string) => [...keys.project(project), "webhooks"] as const;
/** So often a message that is on its way is asked for. */
const SENDING_MS = 1_500;

export function useWebhooks(project: string, isOwner: boolean) {
  return useQuery({
    queryKey: key(project),
    enabled: isOwner,
    queryFn: async (): Promise<Webhook[]> => {
      const { data } = await api.GET("/api/v1/webhooks/", {
        params: { query: { project, page_size: 100 } },
      });
      return data?.results ?? [];
    },
  });
}

/** A message that is sent now: not one that waits minutes for its next try. */
export function isOnItsWay({ state, next_attempt_at: next }: Delivery, now: number): boolean {
  return state === "pending" && (next === null || Date.parse(next) - now < 60_000);
}

export function useDeliveries(project: string, webhook: string) {
  return useInfiniteQuery({
    queryKey: [...key(project), webhook, "deliveries"],
    initialPageParam: `/api/v1/webhooks/${webhook}/deliveries/?page_size=20`,
    queryFn: ({ pageParam }) => send<Page<Delivery>>("GET", pageParam),
    getNextPageParam: ({ next }) => next,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ results }) => results.some((one) => isOnItsWay(one, Date.now())))
        ? SENDING_MS
        : false,
  });
}

async function changed<Result>(project: string, work: Promise<Result>): Promise<Result> {
  const result = await work;
  await queryClient.invalidateQueries({ queryKey: key(project) });
  return result;
}

const headers = () => ({ "Idempotency-Key": uuid() });

export function addWebhook(project: string, url: string, chosen: WebhookEvent[]): Promise<NewWebhook> {
  const body = { project, url, events: chosen };
  const sent = api.POST("/api/v1/webhooks/", { body, headers: headers() });
  return changed(
    project,
    sent.then(({ data }) => data as NewWebhook),
  );
}

export function changeWebhook(
  project: string,
  id: string,
  body: Partial<Pick<Webhook, "url" | "events" | "is_active">>,
): Promise<unknown> {
  return changed(project, api.PATCH("/api/v1/webhooks/{id}/", { params: { path: { id } }, body }));
}

export function deleteWebhook(project: string, id: string): Promise<unknown> {
  return changed(project, api.DELETE("/api/v1/webhooks/{id}/", { params: { path: { id } } }));
}

/** Sends a message that says nothing; the deliveries tell whether it arrived. */
export function testWebhook(project: string, id: string): Promise<unknown> {
  return changed(project, api.POST("/api/v1/webhooks/{id}/test/", { params: { path: { id } } }));
}

export function sendAgain(project: string, id: string, delivery: string): Promise<unknown> {
  const path = { id, delivery };
  return changed(
    project,
    api.POST("/api/v1/webhooks/{id}/deliveries/{delivery}/again/", { params: { path } }),
  );
}
