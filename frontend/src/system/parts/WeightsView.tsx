import { Trans, useLingui } from "@lingui/react/macro";
import { Stack, Text } from "@mantine/core";
import { Icon } from "../../ui/Icon";
import type { Weights } from "../queries";
import classes from "../System.module.css";
import { Scroll } from "./Scroll";

/** Which pretrained weights are here, and where to put the others. */
export function WeightsView({ weights }: { weights: Weights }) {
  const { t } = useLingui();
  return (
    <Stack gap="sm">
      <Text size="sm">
        <Trans>
          Trainings start from weights that are here, and are better and faster for it. The studio downloads
          none: put files of these names into one of the folders, and they are used from then on.
        </Trans>
      </Text>
      <div>
        {weights.folders.map((folder) => (
          <div key={folder} className={classes.name}>
            {folder}
          </div>
        ))}
      </div>
      <Scroll label={t`Pretrained weights`}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">
                <Trans>Architecture</Trans>
              </th>
              <th scope="col">
                <Trans>File</Trans>
              </th>
              <th scope="col">
                <Trans>Here</Trans>
              </th>
            </tr>
          </thead>
          <tbody>
            {weights.architectures.flatMap(({ architecture, title, files }) =>
              files.map(({ name, is_here: isHere }) => (
                <tr key={`${architecture}/${name}`}>
                  <td>{title}</td>
                  <td className={classes.name}>{name}</td>
                  <td>
                    {isHere ? (
                      <Text size="sm" c="var(--studio-good)">
                        <Icon name="check" size={14} /> <Trans>yes</Trans>
                      </Text>
                    ) : (
                      <Text size="sm" className="quiet">
                        <Trans>no</Trans>
                      </Text>
                    )}
                  </td>
                </tr>
              )),
            )}
          </tbody>
        </table>
      </Scroll>
    </Stack>
  );
}
