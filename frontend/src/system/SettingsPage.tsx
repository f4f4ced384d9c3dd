import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Skeleton, Switch, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { Icon } from "../ui/Icon";
import { Problem } from "../ui/Problem";
import { Panel } from "./parts/Panel";
import { Scroll } from "./parts/Scroll";
import { type SettingInForce, useSettings } from "./queries";
import classes from "./System.module.css";

/** Every setting with its value, and whether somebody has set it. They are changed where the studio is started. */
export default function SettingsPage() {
  const { t } = useLingui();
  const { data, error, refetch } = useSettings();
  const [words, setWords] = useState("");
  const [onlySet, setOnlySet] = useState(false);
  const wanted = words.trim().toUpperCase();
  const rows = data?.settings.filter(
    ({ name, is_set: isSet }) => name.includes(wanted) && (isSet || !onlySet),
  );
  return (
    <Panel title={<Trans>Settings in force</Trans>}>
      <Text size="sm" className="quiet">
        <Trans>
          They come from the environment of the studio and are changed there, with a new start. Values are
          those of the web server; secrets are not shown.
        </Trans>
      </Text>
      <Problem error={error} retry={() => void refetch()} />
      {!data && !error && <Skeleton height={240} />}
      {data?.unknown.map((sentence) => (
        <Text key={sentence} size="sm" c="var(--studio-warn)">
          <Icon name="alert-triangle" size={14} /> {sentence}
        </Text>
      ))}
      {rows && (
        <>
          <Group align="flex-end">
            <TextInput
              flex={1}
              miw={160}
              label={t`Find a setting`}
              leftSection={<Icon name="search" size={16} />}
              value={words}
              onChange={(event) => setWords(event.currentTarget.value)}
            />
            <Switch
              pb={8}
              label={t`Only those that somebody has set`}
              checked={onlySet}
              onChange={(event) => setOnlySet(event.currentTarget.checked)}
            />
          </Group>
          {rows.length === 0 ? (
            <Text size="sm" className="quiet" role="status">
              <Trans>No setting fits.</Trans>
            </Text>
          ) : (
            <Rows rows={rows} />
          )}
        </>
      )}
    </Panel>
  );
}

function Rows({ rows }: { rows: SettingInForce[] }) {
  const { t } = useLingui();
  return (
    <Scroll label={t`Settings in force`}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">
              <Trans>Name</Trans>
            </th>
            <th scope="col">
              <Trans>Value</Trans>
            </th>
            <th scope="col">
              <Trans>Comes from</Trans>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row" className={classes.name}>
                {row.name}
              </th>
              <td className={classes.value}>
                <Value row={row} />
              </td>
              <td>
                {row.is_set ? (
                  <Text size="sm" fw={600}>
                    <Trans>environment</Trans>
                  </Text>
                ) : (
                  <Text size="sm" className="quiet">
                    <Trans>default</Trans>
                  </Text>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Value({ row }: { row: SettingInForce }) {
  if (row.is_secret)
    return (
      <Text size="sm" className="quiet">
        <Icon name="lock" size={13} /> {row.is_set ? <Trans>is set</Trans> : <Trans>is not set</Trans>}
      </Text>
    );
  return <>{row.value || <span className="quiet">–</span>}</>;
}
