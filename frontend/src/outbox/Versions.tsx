import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { imageQuery } from "../annotator/queries";
import type { StudioImage } from "../api/types";
import { useLabels } from "../projects/queries";
import { currentOf, imageOf, summary } from "./conflicts";
import type { Command } from "./queue";

interface Mark {
  label: string;
  box: readonly number[] | null;
}

/** Both versions of a conflict, side by side: in words, and with their boxes on the image. */
export function Versions({ command }: { command: Command }) {
  const { data: labels = [] } = useLabels(command.project);
  const theirs = currentOf(command.theirs);
  const mine = Array.isArray(command.body) ? (command.body as Mark[]) : null;
  const image = useQuery({
    ...imageQuery(command.project, imageOf(command.subject)),
    enabled: theirs !== null && mine !== null,
  }).data;
  if (!theirs || !mine) return null;
  const names = new Map(labels.map(({ id, name }) => [id, name]));
  const colors = new Map(labels.map(({ id, color }) => [id, color ?? "#fff"]));
  const who = theirs.changed_by ?? "–";
  return (
    <Group gap="xs" grow align="flex-start" wrap="nowrap">
      <Version
        title={<Trans>Yours</Trans>}
        labels={mine.map(({ label }) => names.get(label) ?? label)}
        image={image}
        boxes={mine.map(({ box, label }) => ({ box, color: colors.get(label) }))}
      />
      <Version
        title={<Trans>There now, by {who}</Trans>}
        labels={theirs.annotations.map(({ label }) => label)}
        image={image}
        boxes={theirs.annotations.map(({ box, label_id }) => ({
          box: box as number[] | null,
          color: colors.get(label_id),
        }))}
      />
    </Group>
  );
}

interface VersionProps {
  title: ReactNode;
  labels: string[];
  image: StudioImage | undefined;
  boxes: { box: readonly number[] | null; color: string | undefined }[];
}

function Version({ title, labels, image, boxes }: VersionProps) {
  const { t } = useLingui();
  return (
    <Stack gap={2} miw={0}>
      <Text size="xs" fw={600}>
        {title}
      </Text>
      {image && (
        <svg viewBox={`0 0 ${image.width} ${image.height}`} width="100%" aria-hidden>
          <image
            href={`/api/v1/images/${image.id}/thumbnail/?size=256`}
            width={image.width}
            height={image.height}
          />
          {boxes.map(({ box, color }) => {
            if (!box) return null;
            const [left = 0, top = 0, right = 0, bottom = 0] = box;
            const shape = { x: left, y: top, width: right - left, height: bottom - top, fill: "none" };
            return (
              <g key={box.join()}>
                <rect
                  {...shape}
                  vectorEffect="non-scaling-stroke"
                  stroke="rgb(0 0 0 / 60%)"
                  strokeWidth={4}
                />
                <rect {...shape} vectorEffect="non-scaling-stroke" stroke={color} strokeWidth={2} />
              </g>
            );
          })}
        </svg>
      )}
      <Text size="xs">{summary(labels, t`no label`)}</Text>
    </Stack>
  );
}
