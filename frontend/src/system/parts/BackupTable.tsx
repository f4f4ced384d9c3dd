import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { ago } from "../../devices/seen";
import { formatBytes } from "../../ui/bytes";
import { formatTime } from "../../ui/numbers";
import type { Backups } from "../queries";
import classes from "../System.module.css";
import { Scroll } from "./Scroll";

export function BackupTable({ backups }: { backups: Backups["backups"] }) {
  const { t, i18n } = useLingui();
  if (backups.length === 0)
    return (
      <Text size="sm" className="quiet">
        <Trans>There is none yet.</Trans>
      </Text>
    );
  return (
    <Scroll label={t`Backups`}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">
              <Trans>Taken</Trans>
            </th>
            <th scope="col">
              <Trans>Folder</Trans>
            </th>
            <th scope="col" className={classes.number}>
              <Trans>Files</Trans>
            </th>
            <th scope="col" className={classes.number}>
              <Trans>Size</Trans>
            </th>
          </tr>
        </thead>
        <tbody>
          {backups.map((backup) => (
            <tr key={backup.name}>
              <td title={formatTime(backup.taken_at, i18n.locale)}>
                {ago(backup.taken_at, Date.now(), i18n.locale)}
              </td>
              <td className={classes.name}>{backup.name}</td>
              <td className={classes.number}>{new Intl.NumberFormat(i18n.locale).format(backup.files)}</td>
              <td className={classes.number}>{formatBytes(backup.bytes, i18n.locale)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
