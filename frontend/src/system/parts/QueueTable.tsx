import { Trans, useLingui } from "@lingui/react/macro";
import { ago } from "../../devices/seen";
import type { System } from "../queries";
import classes from "../System.module.css";
import { Scroll } from "./Scroll";

export function QueueTable({ queues }: { queues: System["queues"] }) {
  const { t, i18n } = useLingui();
  const names: Record<System["queues"][number]["queue"], string> = {
    quick: t`Jobs`,
    heavy: t`Long jobs`,
    preflight: t`Estimates`,
    training: t`Trainings`,
    webhooks: t`Webhooks`,
  };
  return (
    <Scroll label={t`What waits and runs`}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">
              <Trans>Queue</Trans>
            </th>
            <th scope="col" className={classes.number}>
              <Trans>Running</Trans>
            </th>
            <th scope="col" className={classes.number}>
              <Trans>Waiting</Trans>
            </th>
            <th scope="col">
              <Trans>The oldest since</Trans>
            </th>
            <th scope="col" className={classes.number}>
              <Trans>At once</Trans>
            </th>
          </tr>
        </thead>
        <tbody>
          {queues.map(({ queue, running, waiting, oldest_at: oldest, slots }) => (
            <tr key={queue}>
              <th scope="row">{names[queue]}</th>
              <td className={classes.number}>{running}</td>
              <td className={classes.number}>{waiting}</td>
              <td>{oldest ? ago(oldest, Date.now(), i18n.locale) : "–"}</td>
              <td className={classes.number}>{slots}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
