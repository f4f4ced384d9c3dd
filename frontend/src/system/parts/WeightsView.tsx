import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Stack, Text } from "@mantine/core";
import { Icon } from "../../ui/Icon";
import { isUnfinished, type Weights, type WeightsOffer } from "../queries";
import classes from "../System.module.css";
import { AddWeights } from "./AddWeights";
import { DownloadWeights } from "./DownloadWeights";
import { Scroll } from "./Scroll";

/** Which pretrained weights are here, and where to put the others. */
export function WeightsView({ weights }: { weights: Weights }) {
  const { t } = useLingui();
  const { architectures, run } = weights;
  // What came another way since then is here, and its failed download no longer matters.
  const isHere = architectures.some(({ files }) =>
    files.some((file) => file.is_here && file.download?.name === run?.subject),
  );
  return (
    <Stack gap="sm">
      <Text size="sm">
        <Trans>
          Trainings start from weights that are here, and are better and faster for it. The studio downloads
          them only when you ask for it. Files of these names that you put into one of the folders are used as
          well.
        </Trans>
      </Text>
      <div>
        {weights.folders.map((folder) => (
          <div key={folder} className={classes.name}>
            {folder}
          </div>
        ))}
      </div>
      {run?.error && !isHere && (
        <Text size="sm" c="var(--studio-bad)" role="alert" style={{ overflowWrap: "anywhere" }}>
          <Icon name="alert-triangle" size={14} /> {run.error.detail}
        </Text>
      )}
      <Scroll label={t`Pretrained weights`}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">
                <Trans>Architecture</Trans>
              </th>
              <th scope="col" className={classes.filename}>
                <Trans>File</Trans>
              </th>
              <th scope="col">
                <Trans>Here</Trans>
              </th>
            </tr>
          </thead>
          <tbody>
            {architectures.flatMap(({ architecture, title, files }) =>
              files.map(({ kind, name, is_here, download }) => (
                <tr key={`${architecture}/${name}`}>
                  <td>{kind === "coco" ? `${title}, COCO` : title}</td>
                  <td className={classes.name}>{name}</td>
                  <td>
                    {is_here ? (
                      <Text size="sm" c="var(--studio-good)">
                        <Icon name="check" size={14} /> <Trans>yes</Trans>
                      </Text>
                    ) : download ? (
                      <BringWeights
                        title={kind === "coco" ? `${title}, COCO` : title}
                        offer={download}
                        weights={weights}
                      />
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

function BringWeights({ title, offer, weights }: { title: string; offer: WeightsOffer; weights: Weights }) {
  const { run, mirror, downloads } = weights;
  const isRunning = run !== null && isUnfinished(run);
  return (
    <Group gap="xs">
      {downloads && <DownloadWeights title={title} offer={offer} mirror={mirror} run={run} />}
      <AddWeights title={title} offer={offer} disabled={isRunning} />
    </Group>
  );
}
