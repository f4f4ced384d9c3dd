import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Loader, Paper, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { formatBytes } from "../../ui/bytes";
import { Icon } from "../../ui/Icon";
import { clockOf } from "../frames";
import type { Video } from "../queries";
import classes from "../Videos.module.css";

/** A video in the list: its first picture, its name, how long and how large it is, and what was taken from it. */
export function VideoCard({ project, video }: { project: string; video: Video }) {
  const { i18n } = useLingui();
  return (
    <Link to="/projects/$project/videos/$video" params={{ project, video: video.id }} className="plain">
      <Paper className={`panel ${classes.card}`}>
        {video.strip_url ? (
          <img className={classes.poster} src={video.strip_url} alt="" loading="lazy" />
        ) : (
          <span className={classes.noPoster}>
            <Icon name="video" size={40} />
          </span>
        )}
        <div style={{ padding: "10px 12px" }}>
          <Text fw={600} truncate>
            {video.filename}
          </Text>
          <Text size="sm" className="quiet" style={{ fontVariantNumeric: "tabular-nums" }}>
            {clockOf(video.duration)} · {formatBytes(video.size, i18n.locale)}
          </Text>
          <Text size="sm" className="quiet">
            {video.is_surveyed ? (
              <Plural
                value={video.frame_images}
                _0="no frame taken yet"
                one="# frame is an image"
                other="# frames are images"
              />
            ) : (
              <>
                <Loader size={12} mr={6} aria-hidden />
                <Trans>not read through yet</Trans>
              </>
            )}
          </Text>
          {video.note && (
            <Text size="xs" c="var(--studio-warn)">
              {video.note}
            </Text>
          )}
        </div>
      </Paper>
    </Link>
  );
}
