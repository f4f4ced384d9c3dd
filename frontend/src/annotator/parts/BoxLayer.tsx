import { memo, useEffect, useRef } from "react";
import { useStore } from "zustand";
import type { Box, Label } from "../../api/types";
import classes from "../Annotator.module.css";
import { handles, placeOfHandle, type Size } from "../geometry";
import { annotator, asShown, draftBox } from "../store";

/** What is drawn over the image: the boxes, the selected one with its handles, and the one that is being drawn. */
export function BoxLayer({ labels, size }: { labels: ReadonlyMap<string, Label>; size: Size }) {
  const viewBox = `0 0 ${size.width} ${size.height}`;
  return (
    <>
      <svg className={classes.layer} viewBox={viewBox} aria-hidden>
        <Boxes labels={labels} />
      </svg>
      {/* Apart from the others: while it follows the pointer, the browser does not paint all of them again. */}
      <svg className={classes.layer} viewBox={viewBox} aria-hidden>
        <Selected labels={labels} />
        <DraftShape labels={labels} />
      </svg>
    </>
  );
}

function Boxes({ labels }: { labels: ReadonlyMap<string, Label> }) {
  const marks = useStore(annotator, (state) => state.marks);
  const guesses = useStore(annotator, (state) => state.guesses);
  const hidesAll = useStore(annotator, (state) => state.hidesAll);
  const selected = useStore(annotator, (state) => state.selected);
  if (hidesAll) return null;
  return marks.map((mark) =>
    mark.box && !mark.isHidden && mark.id !== selected ? (
      <Rectangle
        key={mark.id}
        box={mark.box}
        color={labels.get(asShown(mark, guesses).label)?.color ?? "#ffffff"}
        isSure={mark.confirmed}
      />
    ) : null,
  );
}

const Rectangle = memo(function Rectangle({
  box,
  color,
  isSure,
}: {
  box: Box;
  color: string;
  isSure: boolean;
}) {
  const [left, top, right, bottom] = box;
  const shape = {
    x: left,
    y: top,
    width: right - left,
    height: bottom - top,
  };
  return (
    <>
      <rect {...shape} className={classes.outline} />
      <rect
        {...shape}
        className={isSure ? classes.box : `${classes.box} ${classes.guess}`}
        stroke={color}
        fill={color}
      />
    </>
  );
});

function Selected({ labels }: { labels: ReadonlyMap<string, Label> }) {
  const mark = useStore(annotator, (state) => state.marks.find(({ id }) => id === state.selected));
  const guesses = useStore(annotator, (state) => state.guesses);
  const hidesAll = useStore(annotator, (state) => state.hidesAll);
  const scale = useStore(annotator, (state) => state.view.scale);
  if (!mark?.box || mark.isHidden || hidesAll) return null;
  const box = mark.box;
  const side = 9 / scale;
  return (
    <g data-selected={mark.id}>
      <Rectangle
        box={box}
        color={labels.get(asShown(mark, guesses).label)?.color ?? "#ffffff"}
        isSure={mark.confirmed}
      />
      {!mark.isLocked &&
        handles.map((handle) => {
          const { x, y } = placeOfHandle(box, handle);
          return (
            <g key={handle}>
              <rect
                data-handle={handle}
                x={x - side * 1.3}
                y={y - side * 1.3}
                width={side * 2.6}
                height={side * 2.6}
                className={classes.grip}
                style={{ cursor: `${handle}-resize` }}
              />
              <rect
                x={x - side / 2}
                y={y - side / 2}
                width={side}
                height={side}
                className={classes.handle}
                strokeWidth={1.5 / scale}
              />
            </g>
          );
        })}
    </g>
  );
}

/** Painted by the store's changes, not by renders: pointerup must never see an older box than the screen. */
function DraftShape({ labels }: { labels: ReadonlyMap<string, Label> }) {
  const rect = useRef<SVGRectElement>(null);
  const label = useStore(annotator, (state) => state.label);
  useEffect(
    () =>
      annotator.subscribe(({ draft, size }) => {
        const element = rect.current;
        if (!element) return;
        element.style.display = draft ? "" : "none";
        if (!draft) return;
        const [left, top, right, bottom] = draftBox(draft, size);
        element.setAttribute("x", String(left));
        element.setAttribute("y", String(top));
        element.setAttribute("width", String(right - left));
        element.setAttribute("height", String(bottom - top));
      }),
    [],
  );
  return (
    <rect
      ref={rect}
      className={classes.draft}
      style={{ display: "none" }}
      stroke={(label && labels.get(label)?.color) || "#ffffff"}
    />
  );
}
