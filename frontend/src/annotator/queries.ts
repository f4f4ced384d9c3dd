import { queryOptions, useQuery } from "@tanstack/react-query";
import { api } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { StudioImage } from "../api/types";

export type Change = components["schemas"]["Change"];

export function imageQuery(project: string, image: string) {
  return queryOptions({
    queryKey: keys.image(project, image),
    queryFn: async (): Promise<StudioImage> => {
      const { data } = await api.GET("/api/v1/images/{id}/", { params: { path: { id: image } } });
      return data as StudioImage;
    },
    staleTime: 5_000,
  });
}

export function useImageHistory(project: string, image: string, isOpen: boolean) {
  return useQuery({
    queryKey: [...keys.image(project, image), "history"],
    enabled: isOpen,
    queryFn: async (): Promise<Change[]> => {
      const { data } = await api.GET("/api/v1/images/{id}/history/", {
        params: { path: { id: image }, query: { ordering: "-id" } },
      });
      return data?.results ?? [];
    },
  });
}

/** An address of the whole image that every browser can show, upright. */
export function pictureOf(image: Pick<StudioImage, "id" | "sha256">): string {
  return `/api/v1/images/${image.id}/rendition/?max=2048&v=${image.sha256.slice(0, 8)}`;
}
