import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Group, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { Label, Task } from "../../api/types";
import { useLabels } from "../../projects/queries";
import { LabelChip } from "../../ui/LabelChip";
import { formatNumber, formatPercent } from "../../ui/numbers";
import type { Prediction } from "../queries";
import classes from "./TryPanel.module.css";

export type Box = Prediction["boxes"][number];

type Said = Pick<Prediction["labels"][number], "label" | "score" | "is_present">;

interface Props {
  project: string;
  task: Task;
  prediction: Prediction;
  /** Of the image on this computer. */
  address: string | null;
  milliseconds?: number;
  /** What lies under the boxes instead of the image, such as what a camera sees. */
  under?: ReactNode;
  /** The box that is meant elsewhere on the page; all others are drawn faintly. */
  pointed?: Box | null;
  /** It changes all the time: nothing of it is read out. */
  isLive?: boolean;
}

/** The image with what the model says: labels with how sure it is, or boxes around what it finds. */
export function Answer({ project, task, prediction, address, milliseconds, under, pointed, isLive }: Props) {
  const { i18n } = useLingui();
  const { data: labels = [] } = useLabels(project);
  const of = (name: string) => labels.find((label) => label.name === name) ?? { name, color: "#888888" };
  const [hovered, setHovered] = useState<Box | null>(null);
  const found = task === "detection" ? prediction.boxes : prediction.labels;
  return (
    <div className={classes.answer}>
      <Shown
        prediction={prediction}
        address={address}
        under={under}
        labelOf={of}
        pointed={pointed ?? hovered}
      />
      <Stack gap="xs" aria-live={isLive ? "off" : "polite"}>
        <Sentence task={task} prediction={prediction} />
        {found.slice(0, 20).map(({ label, score, is_present: isPresent = true }: Said, place) => (
          <div
            key={`${label}-${place}`}
            style={isPresent ? undefined : { opacity: 0.55 }}
            onPointerEnter={() => setHovered(prediction.boxes[place] ?? null)}
            onPointerLeave={() => setHovered(null)}
          >
            <Group justify="space-between" wrap="nowrap">
              <LabelChip label={of(label)} />
              <Text size="sm" style={{ fontVariantNumeric: "tabular-nums" }}>
                {formatPercent(score, i18n.locale, 1)}
              </Text>
            </Group>
            <div className={classes.track} aria-hidden>
              <div className={classes.bar} style={{ width: `${100 * score}%` }} />
            </div>
          </div>
        ))}
        {milliseconds !== undefined && (
          <Text size="xs" className="quiet">
            <Trans>{formatNumber(milliseconds, i18n.locale)} ms on the server</Trans>
          </Text>
        )}
      </Stack>
    </div>
  );
}

function Sentence({ task, prediction }: Pick<Props, "task" | "prediction">) {
  const { i18n } = useLingui();
  const [first] = prediction.labels;
  if (task === "multilabel") {
    const present = prediction.labels.filter((one) => one.is_present).map(({ label }) => label);
    const names = new Intl.ListFormat(i18n.locale).format(present);
    return (
      <Text size="lg" fw={600}>
        {present.length === 0 ? (
          <Trans>It sees none of its labels on this image.</Trans>
        ) : (
          <Trans>It sees {names}.</Trans>
        )}
      </Text>
    );
  }
  if (task === "detection")
    return (
      <Text size="lg" fw={600}>
        {prediction.boxes.length === 0 ? (
          <Trans>It finds nothing on this image.</Trans>
        ) : (
          <Plural value={prediction.boxes.length} one="It finds # thing." other="It finds # things." />
        )}
      </Text>
    );
  if (!first)
    return (
      <Text size="lg" fw={600}>
        <Trans>It is not sure enough to say anything.</Trans>
      </Text>
    );
  return (
    <Text size="lg" fw={600}>
      {first.score >= 0.5 ? (
        <Trans>
          It says {first.label}, and is {formatPercent(first.score, i18n.locale)} sure.
        </Trans>
      ) : (
        <Trans>It is not sure; most likely {first.label}.</Trans>
      )}
    </Text>
  );
}

function Shown({
  prediction,
  address,
  under,
  labelOf,
  pointed,
}: Pick<Props, "prediction" | "address" | "under" | "pointed"> & {
  labelOf: (name: string) => Pick<Label, "name" | "color">;
}) {
  const { t } = useLingui();
  const { width, height, filename, boxes } = prediction;
  const [broken, setBroken] = useState<string | null>(null);
  const someIsPointed = pointed ? boxes.includes(pointed) : false;
  const size = Math.max(width, height) / 36;
  if (broken !== null && broken === address)
    return (
      <Text size="sm" className="quiet">
        <Trans>Your browser cannot show this kind of file. The model can read it.</Trans>
      </Text>
    );
  const drawn = (
    <svg
      className={under ? classes.over : classes.image}
      viewBox={`0 0 ${width} ${height}`}
      style={under ? undefined : { aspectRatio: `${width} / ${height}` }}
      role="img"
      aria-label={filename ? t`${filename} with what the model finds` : t`What the model finds`}
    >
      {address && <image href={address} width={width} height={height} onError={() => setBroken(address)} />}
      {boxes.map((found, place) => {
        const { box, label } = found;
        const isPointed = found === pointed;
        const [left = 0, top = 0, right = 0, bottom = 0] = box;
        const shape = {
          x: left,
          y: top,
          width: right - left,
          height: bottom - top,
          fill: "none",
          vectorEffect: "non-scaling-stroke",
        } as const;
        return (
          <g
            key={place}
            opacity={isPointed || !someIsPointed ? 1 : 0.3}
            data-pointed={isPointed || undefined}
          >
            <rect {...shape} stroke="rgb(0 0 0 / 65%)" strokeWidth={isPointed ? 7 : 4.5} />
            <rect {...shape} stroke={labelOf(label).color ?? "#fff"} strokeWidth={isPointed ? 4.5 : 2.5} />
            <text
              className={classes.name}
              x={left + size / 4}
              y={Math.max(size, top - size / 3)}
              fontSize={size}
              strokeWidth={size / 5}
            >
              {label}
            </text>
          </g>
        );
      })}
    </svg>
  );
  return under ? (
    <div className={classes.stage}>
      {under}
      {drawn}
    </div>
  ) : (
    drawn
  );
}
