import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import type { Label } from "../../api/types";
import classes from "../Annotator.module.css";
import type { Point } from "../geometry";
import { annotator, asShown, type BoxMark, type Mark } from "../store";

const MOST_NAMES = 80;

/** Names beside the boxes, in the screen's size whatever the zoom. */
export function Names({ labels }: { labels: ReadonlyMap<string, Label> }) {
  const marks = useStore(annotator, (state) => state.marks);
  const view = useStore(annotator, (state) => state.view);
  const guesses = useStore(annotator, (state) => state.guesses);
  const hidesAll = useStore(annotator, (state) => state.hidesAll);
  const shown = marks
    .filter((mark): mark is BoxMark => mark.box !== null && !mark.isHidden)
    .map((mark) => ({ ...asShown(mark, guesses), box: mark.box }));
  if (hidesAll || shown.length > MOST_NAMES) return null;
  return shown.map((mark) => (
    <span
      key={mark.id}
      className={classes.name}
      style={{
        transform: `translate(${mark.box[0] * view.scale + view.x}px, ${mark.box[1] * view.scale + view.y}px) translateY(-100%)`,
      }}
    >
      <span className={classes.dot} style={{ background: labels.get(mark.label)?.color }} />
      {nameOf(mark, labels)}
    </span>
  ));
}

export function nameOf(mark: Mark, labels: ReadonlyMap<string, Label>): string {
  const name = labels.get(mark.label)?.name ?? "?";
  if (mark.confirmed) return name;
  return mark.score === null ? `${name}?` : `${name}? ${Math.round(100 * mark.score)} %`;
}

/** Two lines through the pointer, to begin a box exactly at a corner. */
export function Guides() {
  const across = useRef<HTMLDivElement>(null);
  const along = useRef<HTMLDivElement>(null);
  const isOn = useStore(annotator, (state) => state.crosshair && state.tool === "draw");
  const [isHere, setIsHere] = useState(false);
  useEffect(
    () =>
      annotator.subscribe(({ pointer, view }) => {
        setIsHere(pointer !== null);
        if (!pointer || !across.current || !along.current) return;
        const place: Point = { x: pointer.x * view.scale + view.x, y: pointer.y * view.scale + view.y };
        across.current.style.transform = `translateY(${place.y}px)`;
        along.current.style.transform = `translateX(${place.x}px)`;
      }),
    [],
  );
  if (!isOn) return null;
  const style = { display: isHere ? undefined : "none" };
  return (
    <>
      <div ref={across} className={classes.across} style={style} />
      <div ref={along} className={classes.along} style={style} />
    </>
  );
}
