import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { formatBytes } from "../../ui/bytes";
import { formatTime } from "../../ui/numbers";
import type { System } from "../queries";
import classes from "../System.module.css";
import { Scroll } from "./Scroll";

/** The projects whose files take most. */
export function ProjectTable({ usage }: { usage: System["usage"] }) {
  const { t, i18n } = useLingui();
  const bytes = (count: number) => (count ? formatBytes(count, i18n.locale) : "–");
  if (usage.projects.length === 0)
    return (
      <Text size="sm" className="quiet">
        <Trans>No project has files yet.</Trans>
      </Text>
    );
  return (
    <>
      <Scroll label={t`By project`}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">
                <Trans>Project</Trans>
              </th>
              <th scope="col" className={classes.number}>
                <Trans>All</Trans>
              </th>
              <th scope="col" className={classes.number}>
                <Trans>Images</Trans>
              </th>
              <th scope="col" className={classes.number}>
                <Trans>Videos</Trans>
              </th>
              <th scope="col" className={classes.number}>
                <Trans>Models</Trans>
              </th>
              <th scope="col" className={classes.number}>
                <Trans>Archives and results</Trans>
              </th>
            </tr>
          </thead>
          <tbody>
            {usage.projects.map((project) => (
              <tr key={project.id}>
                <td>
                  <Text size="sm" fw={600}>
                    {project.name}
                  </Text>
                  <Text size="xs" className="quiet">
                    {project.created_by ?? <Trans>nobody’s</Trans>}
                    {project.is_in_trash && (
                      <>
                        {" · "}
                        <Trans>in the trash</Trans>
                      </>
                    )}
                    {project.is_being_removed && (
                      <>
                        {" · "}
                        <Trans>being removed</Trans>
                      </>
                    )}
                  </Text>
                </td>
                <td className={classes.number}>{bytes(project.bytes)}</td>
                <td className={classes.number}>{bytes(project.images_bytes)}</td>
                <td className={classes.number}>{bytes(project.videos_bytes)}</td>
                <td className={classes.number}>{bytes(project.models_bytes)}</td>
                <td className={classes.number}>{bytes(project.jobs_bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <Text size="xs" className="quiet">
        <Trans>
          The hundred largest, as counted on {formatTime(usage.counted_at, i18n.locale)}. Files that two
          projects share count for both.
        </Trans>
      </Text>
    </>
  );
}
