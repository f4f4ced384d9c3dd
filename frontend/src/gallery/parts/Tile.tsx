import { useLingui } from "@lingui/react/macro";
import { memo, useEffect, useRef } from "react";
import type { Label } from "../../api/types";
import { Icon } from "../../ui/Icon";
import { Swatch } from "../../ui/LabelChip";
import classes from "../Gallery.module.css";
import { averageColor } from "../placeholder";
import type { GridImage } from "../queries";

interface Props {
  image: GridImage | undefined;
  index: number;
  x: number;
  y: number;
  size: number;
  labels: ReadonlyMap<string, Label>;
  /** Where its page is. */
  href: string | undefined;
  isChosen: boolean;
  isCursor: boolean;
  onChoose: (image: GridImage, index: number, isRange: boolean) => void;
}

const NAMES = 2;

/** One image of the gallery, with its labels or boxes on it. */
export const Tile = memo(function Tile({
  image,
  index,
  x,
  y,
  size,
  labels,
  href,
  isChosen,
  isCursor,
  onChoose,
}: Props) {
  const { t } = useLingui();
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (isCursor) link.current?.focus({ preventScroll: true });
  }, [isCursor]);
  const place = { width: size, height: size, left: x, top: y };
  if (!image) return <div className={classes.tile} style={place} role="listitem" aria-hidden />;
  const boxes = image.annotations.filter((mark) => mark.box);
  // A tile has a dozen boxes at most: without the number of the others they would seem to be missing.
  const more = image.annotation_count - image.annotations.length;
  const names = image.labels.map((id) => labels.get(id)).filter((label) => label !== undefined);
  const guesses = new Set(image.annotations.filter((mark) => !mark.confirmed).map((mark) => mark.label));
  const thumbnail = size > 200 ? image.thumbnail.replace("size=256", "size=512") : image.thumbnail;
  return (
    <div
      className={classes.tile}
      style={{ ...place, background: averageColor(image.thumbhash) }}
      role="listitem"
      data-chosen={isChosen || undefined}
      data-whole={boxes.length > 0 || undefined}
    >
      <a
        ref={link}
        href={href}
        data-index={index}
        draggable={false}
        aria-label={[image.filename, ...names.map((label) => label.name)].join(", ")}
      >
        <img src={thumbnail} alt="" loading="eager" decoding="async" draggable={false} />
        {boxes.length > 0 && <Boxes image={image} labels={labels} />}
        {boxes.length > 0 && more > 0 && (
          <span className={classes.more} title={t`${more} more boxes`}>
            +{more}
          </span>
        )}
        {boxes.length === 0 && names.length > 0 && (
          <span className={classes.names}>
            {names.slice(0, NAMES).map((label) => (
              <span
                key={label.id}
                className={`${classes.name} ${guesses.has(label.id) ? classes.guess : ""}`}
              >
                <Swatch color={label.color ?? "#888"} size={9} />
                {label.name}
                {guesses.has(label.id) ? "?" : ""}
              </span>
            ))}
          </span>
        )}
      </a>
      <button
        type="button"
        className={classes.check}
        role="checkbox"
        aria-checked={isChosen}
        aria-label={t`Choose ${image.filename}`}
        onClick={(event) => onChoose(image, index, event.shiftKey)}
      >
        {isChosen && <Icon name="check" size={16} />}
      </button>
    </div>
  );
});

/** Boxes in thousandths of the image, which lies whole in the square of its tile. */
function Boxes({ image, labels }: { image: GridImage; labels: ReadonlyMap<string, Label> }) {
  const longest = Math.max(image.width, image.height);
  const width = (1000 * image.width) / longest;
  const height = (1000 * image.height) / longest;
  return (
    <svg className={classes.marks} viewBox="0 0 1000 1000" aria-hidden>
      <g
        transform={`translate(${(1000 - width) / 2} ${(1000 - height) / 2}) scale(${width / 1000} ${height / 1000})`}
      >
        {image.annotations.map((mark, place) => {
          if (!mark.box) return null;
          const [left = 0, top = 0, right = 0, bottom = 0] = mark.box;
          const shape = {
            x: left,
            y: top,
            width: right - left,
            height: bottom - top,
            fill: "none",
            vectorEffect: "non-scaling-stroke",
          } as const;
          const key = `${place}-${left}-${top}`;
          return (
            <g key={key}>
              <rect {...shape} stroke="rgb(0 0 0 / 60%)" strokeWidth={3.5} />
              <rect
                {...shape}
                stroke={labels.get(mark.label)?.color ?? "#fff"}
                strokeWidth={2}
                strokeDasharray={mark.confirmed ? undefined : "5 3"}
              />
            </g>
          );
        })}
      </g>
    </svg>
  );
}
