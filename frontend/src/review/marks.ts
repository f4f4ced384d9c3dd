import { useQuery } from "@tanstack/react-query";
import { imageQuery } from "../annotator/queries";
import type { StudioImage } from "../api/types";
import type { GridImage } from "../gallery/queries";

export type Mark = GridImage["annotations"][number];

/** A row of the gallery has a dozen annotations at most: nobody decides about those that they do not see. */
export const isWhole = (image: Pick<GridImage, "annotation_count" | "annotations">) =>
  image.annotation_count <= image.annotations.length;

/** The annotations of an image as a row of the gallery has them: boxes in thousandths of the image. */
export function marksOf(image: Pick<StudioImage, "width" | "height" | "annotations">): Mark[] {
  const sides = [image.width, image.height, image.width, image.height];
  return image.annotations.map(({ label_id, origin, confirmed, score, box }) => ({
    label: label_id,
    origin,
    confirmed,
    score,
    box: box ? box.map((side, place) => Math.round((1000 * side) / (sides[place] ?? 1))) : null,
  }));
}

/** All annotations of an image; undefined until they are here. */
export function useMarks(project: string, image: GridImage | undefined): Mark[] | undefined {
  const isShort = image !== undefined && !isWhole(image);
  const { data } = useQuery({ ...imageQuery(project, image?.id ?? ""), enabled: isShort });
  if (!image) return undefined;
  return isShort ? data && marksOf(data) : image.annotations;
}
