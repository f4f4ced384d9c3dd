import { Trans, useLingui } from "@lingui/react/macro";
import { Table, Text, UnstyledButton } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { scaleOf } from "../../trainings/chart";
import { formatPercent } from "../../ui/numbers";
import { type Bin, behindBin, gapOf, rangeOf } from "../curves";
import { FEW_IN_ALL } from "../figures";
import classes from "../Quality.module.css";
import type { Behind } from "../search";

const HEIGHT = 280;
const ROOM = { left: 44, right: 12, top: 10, bottom: 40 };
/** A gap below this is chance on most test splits. */
const NOTABLE = 0.05;

interface Props {
  bins: Bin[];
  /** Images, or boxes, in all. */
  count: number;
  /** The label of a detector whose boxes these are; without it images. */
  label?: string;
  open: ((behind: Behind) => void) | undefined;
}

/** Whether "90 % sure" is right nine times of ten: a bar for each range of confidence, which opens its images. */
export function Calibration({ bins, count, label, open }: Props) {
  const { t, i18n } = useLingui();
  const { ref, width: measured } = useElementSize();
  const right = Math.max((measured || 420) - ROOM.right, ROOM.left + 40);
  const x = scaleOf(0, 1, ROOM.left, right);
  const y = scaleOf(0, 1, HEIGHT - ROOM.bottom, ROOM.top);
  const percent = (value: number) => formatPercent(value, i18n.locale);
  const behind = (bin: Bin): Behind =>
    label === undefined ? { outcome: "all", ...rangeOf(bin) } : behindBin(label, bin);
  return (
    <figure ref={ref} style={{ margin: 0, minWidth: 0 }}>
      <Text component="figcaption" size="sm" fw={600} mb={4}>
        {label === undefined ? (
          <Trans>How far its confidence can be trusted</Trans>
        ) : (
          <Trans>How far its confidence in “{label}” can be trusted</Trans>
        )}
      </Text>
      <svg className={classes.chart} height={HEIGHT} aria-hidden>
        {[0, 0.25, 0.5, 0.75, 1].map((value) => (
          <g key={value}>
            <line className={classes.grid} x1={ROOM.left} x2={right} y1={y(value)} y2={y(value)} />
            <text x={ROOM.left - 6} y={y(value) + 4} textAnchor="end">
              {percent(value)}
            </text>
            <text x={x(value)} y={HEIGHT - 24} textAnchor={value === 1 ? "end" : "middle"}>
              {percent(value)}
            </text>
          </g>
        ))}
        <text x={(ROOM.left + right) / 2} y={HEIGHT - 6} textAnchor="middle">
          {t`how sure it is`}
        </text>
        {bins.map((bin) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: the table below has the same as buttons
          <rect
            key={bin.from}
            className={classes.bar}
            x={x(bin.from) + 1}
            width={Math.max(2, x(bin.to) - x(bin.from) - 2)}
            y={y(Math.max(bin.accuracy, 0.004))}
            height={y(0) - y(Math.max(bin.accuracy, 0.004))}
            onClick={() => open?.(behind(bin))}
          />
        ))}
        <line className={classes.guide} x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
      </svg>
      <Sentence gap={gapOf(bins)} isRough={count < FEW_IN_ALL} />
      <details>
        <Text component="summary" size="sm" mt={6} style={{ cursor: "pointer" }}>
          <Trans>Numbers</Trans>
        </Text>
        <Table fz="sm" verticalSpacing={3} horizontalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t`Sure`}</Table.Th>
              <Table.Th className={classes.numbers}>{t`Right`}</Table.Th>
              <Table.Th className={classes.numbers}>{label === undefined ? t`Images` : t`Boxes`}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {bins.map((bin) => {
              const range = t`${percent(bin.from)} to ${percent(bin.to)}`;
              return (
                <Table.Tr key={bin.from}>
                  <Table.Td>{range}</Table.Td>
                  <Table.Td className={classes.numbers}>{percent(bin.accuracy)}</Table.Td>
                  <Table.Td className={classes.numbers}>
                    <UnstyledButton
                      fz="sm"
                      className={classes.number}
                      disabled={!open}
                      aria-label={
                        label === undefined
                          ? t`${bin.count} images, ${range} sure`
                          : t`${bin.count} boxes, ${range} sure`
                      }
                      onClick={() => open?.(behind(bin))}
                    >
                      {bin.count.toLocaleString(i18n.locale)}
                    </UnstyledButton>
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </details>
    </figure>
  );
}

function Sentence({ gap, isRough }: { gap: number; isRough: boolean }) {
  const points = Math.round(Math.abs(100 * gap));
  return (
    <Text size="sm" className="quiet">
      {isRough ? (
        <Trans>
          With so few images the bars are chance. Measure it on more to see how far it can be trusted.
        </Trans>
      ) : Math.abs(gap) < NOTABLE ? (
        <Trans>It is about as often right as it is sure. Bars on the line would be exact.</Trans>
      ) : gap > 0 ? (
        <Trans>It is too sure of itself, by {points} points of 100. Bars on the line would be exact.</Trans>
      ) : (
        <Trans>
          It is right more often than it is sure, by {points} points of 100. Bars on the line would be exact.
        </Trans>
      )}
    </Text>
  );
}
