import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { formatPercent } from "../../ui/numbers";
import classes from "../Compare.module.css";
import type { Comparison } from "../queries";
import { labelRows } from "../rows";

const MOST_ROWS = 100;

/** The models' figures side by side: as a whole, and label by label. */
export function Figures({ project, comparison }: { project: string; comparison: Comparison }) {
  const { t, i18n } = useLingui();
  const { models } = comparison;
  const isDetector = models.some(({ ap50 }) => ap50 !== undefined);
  const rows = labelRows(comparison);
  const percent = (value: number | null | undefined) =>
    typeof value === "number" ? formatPercent(value, i18n.locale, 1) : "–";
  const whole: [string, (number | null | undefined)[]][] = isDetector
    ? [
        ["AP50", models.map(({ ap50 }) => ap50)],
        [t`AP, 50 to 95 %`, models.map(({ ap }) => ap)],
        [t`Its boxes that are right`, models.map(({ precision }) => precision)],
        [t`Things it finds`, models.map(({ recall }) => recall)],
      ]
    : [[t`Images it gets right`, models.map(({ accuracy }) => accuracy)]];
  const intervals = models.map((model) => model.accuracy_interval ?? model.ap50_interval ?? null);
  return (
    <div className={classes.scroll}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">
              <Trans>Figure</Trans>
            </th>
            {models.map(({ id, name, version }) => (
              <th key={id} scope="col">
                <Anchor
                  fw={600}
                  renderRoot={(props) => (
                    <Link to="/projects/$project/models/$model" params={{ project, model: id }} {...props} />
                  )}
                >
                  {name} v{version}
                </Anchor>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {whole.map(([title, values], index) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              {values.map((value, place) => (
                <td key={models[place]?.id} className={isBest(value, values) ? classes.best : undefined}>
                  {percent(value)}
                  {index === 0 && intervals[place]?.length === 2 && (
                    <span className="quiet">
                      {" "}
                      ({percent(intervals[place]?.[0])} – {percent(intervals[place]?.[1])})
                    </span>
                  )}
                </td>
              ))}
            </tr>
          ))}
          {rows.slice(0, MOST_ROWS).map(({ label, values }) => (
            <tr key={label}>
              <th scope="row" style={{ fontWeight: 400 }}>
                {label}
              </th>
              {values.map((value, place) => (
                <td key={models[place]?.id} className={isBest(value, values) ? classes.best : undefined}>
                  {percent(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function isBest(value: number | null | undefined, all: (number | null | undefined)[]): boolean {
  const known = all.filter((one) => typeof one === "number");
  return typeof value === "number" && value === Math.max(...known) && Math.min(...known) < value;
}
