import { Trans } from "@lingui/react/macro";
import { Button, Group, Skeleton, Stack, Title } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useMayEdit } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { AddVideos } from "./parts/AddVideos";
import { VideoCard } from "./parts/VideoCard";
import { useVideos } from "./queries";
import classes from "./Videos.module.css";

/** The videos of the project, the newest first. */
export default function VideosPage() {
  const { project } = useParams({ from: "/shell/projects/$project/videos" });
  const mayEdit = useMayEdit(project);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useVideos(project);
  const videos = data?.pages.flatMap(({ results }) => results) ?? [];
  return (
    <Page>
      <Stack gap="lg">
        <Group justify="space-between">
          <Title order={1} size="h2">
            <Trans>Videos</Trans>
          </Title>
          {mayEdit && videos.length > 0 && <AddVideos project={project} />}
        </Group>
        <Problem error={error} retry={() => void refetch()} />
        {!data && !error && (
          <div className={classes.list}>
            {["a", "b", "c"].map((key) => (
              <Skeleton key={key} height={220} radius="md" />
            ))}
          </div>
        )}
        {data && videos.length === 0 && (
          <EmptyState
            icon="video"
            title={<Trans>No videos yet</Trans>}
            action={mayEdit && <AddVideos project={project} />}
          >
            <Trans>
              Drop a video anywhere on this page. Its frames become images to label, and a model can look at
              all of it.
            </Trans>
          </EmptyState>
        )}
        {videos.length > 0 && (
          <ul className={classes.list} style={{ listStyle: "none", margin: 0, padding: 0 }}>
            {videos.map((video) => (
              <li key={video.id}>
                <VideoCard project={project} video={video} />
              </li>
            ))}
          </ul>
        )}
        {hasNextPage && (
          <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            <Trans>Show more videos</Trans>
          </Button>
        )}
      </Stack>
    </Page>
  );
}
