import { useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { averageColor } from "../../gallery/placeholder";
import { Icon } from "../../ui/Icon";
import { formatPercent } from "../../ui/numbers";
import classes from "../Quality.module.css";
import type { Outcome } from "../queries";
import { Boxes } from "./Boxes";

/** An image behind a number, with what was said of it. */
export function Tile({
  outcome,
  isCurrent,
  choose,
}: {
  outcome: Outcome;
  isCurrent: boolean;
  choose: () => void;
}) {
  const said = useSaid(outcome);
  const name = useImageName(outcome);
  return (
    <button
      type="button"
      className={classes.tile}
      aria-current={isCurrent}
      aria-label={`${name}: ${said}`}
      onClick={choose}
    >
      <OutcomeThumbnail outcome={outcome} />
      <Lines outcome={outcome} name={name} />
    </button>
  );
}

/** What the model said above what is annotated; of a detector the counts above the name. */
function Lines({ outcome, name }: { outcome: Outcome; name: string }) {
  const { t, i18n } = useLingui();
  const { label, predicted, score = 0, hits, false_positives: alarms, misses } = outcome;
  const [first, second] = outcome.labels
    ? [
        `${alarms || misses ? "✗" : "✓"} ${outcome.predicted_labels?.join(", ") || t`none of the labels`}`,
        t`has ${outcome.labels.join(", ") || t`none of the labels`}`,
      ]
    : label === undefined
      ? [`✓ ${hits ?? 0}  ✗ ${alarms ?? 0}  ? ${misses ?? 0}`, name]
      : [
          `${label === predicted ? "✓" : "✗"} ${formatPercent(score, i18n.locale)} ${predicted ?? ""}`,
          outcome.is_deleted ? t`${label} · deleted since` : t`is ${label}`,
        ];
  return (
    <>
      <Text size="xs" truncate mt={3} fw={550}>
        {first}
      </Text>
      <Text size="xs" truncate className="quiet">
        {second}
      </Text>
    </>
  );
}

export function OutcomeThumbnail({ outcome }: { outcome: Outcome }) {
  const { thumbnail, thumbhash, width, height, boxes } = outcome;
  return (
    <span className={classes.picture} style={{ background: averageColor(thumbhash) }}>
      {thumbnail ? (
        <img src={thumbnail} alt="" loading="lazy" decoding="async" />
      ) : (
        <Icon name="eye-off" size={28} />
      )}
      {boxes && width && height && (
        <svg viewBox={`0 0 ${width} ${height}`} aria-hidden>
          <Boxes boxes={boxes} size={Math.max(width, height)} />
        </svg>
      )}
    </span>
  );
}

export function useImageName({ filename, is_deleted: isDeleted }: Outcome): string {
  const { t } = useLingui();
  if (isDeleted) return filename ? t`${filename} (deleted since)` : t`deleted since`;
  return filename ?? t`an image`;
}

/** "bolt, said nut 94 %", or what was found and missed. */
export function useSaid(outcome: Outcome): string {
  const { t, i18n } = useLingui();
  const { label, predicted, score, hits, false_positives, misses } = outcome;
  if (outcome.labels) {
    const said = outcome.predicted_labels?.join(", ") || t`none of the labels`;
    return t`${outcome.labels.join(", ") || t`none of the labels`}, said ${said}`;
  }
  const sure = score === undefined ? "" : formatPercent(score, i18n.locale);
  if (label === undefined) return t`${hits ?? 0} found, ${false_positives ?? 0} false, ${misses ?? 0} missed`;
  return label === predicted ? t`${label}, ${sure} sure` : t`${label}, said ${predicted ?? ""} ${sure}`;
}
