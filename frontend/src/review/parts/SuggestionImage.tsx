import type { Label } from "../../api/types";
import type { GridImage } from "../../gallery/queries";
import type { Mark } from "../marks";
import classes from "../Review.module.css";

/** The image as large as there is room, with its boxes in thousandths of its sides. */
export function SuggestionImage({
  image,
  marks,
  labels,
  pointed,
}: {
  image: GridImage;
  marks: Mark[];
  labels: Label[];
  /** A box in pixels that is spoken of: the others step back. */
  pointed?: number[] | null;
}) {
  const version = new URLSearchParams(image.thumbnail.split("?")[1]).get("v") ?? "";
  const colors = new Map(labels.map(({ id, color }) => [id, color]));
  return (
    <svg
      className={classes.image}
      viewBox={`0 0 ${image.width} ${image.height}`}
      role="img"
      aria-label={image.filename}
    >
      <image
        href={`/api/v1/images/${image.id}/rendition/?max=2048&v=${version}`}
        width={image.width}
        height={image.height}
      />
      {marks.map((mark) => {
        if (!mark.box) return null;
        const [left = 0, top = 0, right = 0, bottom = 0] = mark.box;
        const shape = {
          x: (left * image.width) / 1000,
          y: (top * image.height) / 1000,
          width: ((right - left) * image.width) / 1000,
          height: ((bottom - top) * image.height) / 1000,
          fill: "none",
          vectorEffect: "non-scaling-stroke",
        } as const;
        return (
          <g key={`${mark.label}-${mark.box.join()}`} opacity={pointed ? 0.45 : 1}>
            <rect {...shape} stroke="rgb(0 0 0 / 60%)" strokeWidth={4} />
            <rect
              {...shape}
              stroke={colors.get(mark.label) ?? "#fff"}
              strokeWidth={2.5}
              strokeDasharray={mark.confirmed ? undefined : "7 4"}
            />
          </g>
        );
      })}
      {pointed && <Pointed box={pointed} />}
    </svg>
  );
}

function Pointed({ box: [left = 0, top = 0, right = 0, bottom = 0] }: { box: number[] }) {
  const shape = {
    x: left,
    y: top,
    width: right - left,
    height: bottom - top,
    fill: "none",
    vectorEffect: "non-scaling-stroke",
  } as const;
  return (
    <g>
      <rect {...shape} stroke="#000" strokeWidth={6} />
      <rect {...shape} stroke="#fff" strokeWidth={3} strokeDasharray="8 5" />
    </g>
  );
}
