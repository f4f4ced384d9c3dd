import { Plural, Trans } from "@lingui/react/macro";
import { Badge, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { isRunning, useActivity } from "../../activity/queries";
import { api } from "../../api/client";
import { keys } from "../../api/keys";
import type { Project } from "../../api/types";
import { Icon } from "../../ui/Icon";
import classes from "./ProjectCard.module.css";
import { TaskInWords } from "./TaskInWords";

/** Four images of the project, what it answers, how much is in it, and whether something runs. */
export function ProjectCard({ project }: { project: Project }) {
  const { data: activity } = useActivity(null);
  const running = activity?.filter((entry) => entry.project === project.id && isRunning(entry)).length ?? 0;
  return (
    <Link to="/projects/$project" params={{ project: project.id }} className={`plain panel ${classes.card}`}>
      <Cover project={project} />
      <Stack gap={4} p="md">
        <Group justify="space-between" wrap="nowrap">
          <Text fw={650} truncate>
            {project.name}
          </Text>
          {running > 0 && (
            <Badge leftSection={<Icon name="clock" size={12} />}>
              <Plural value={running} one="# running" other="# running" />
            </Badge>
          )}
        </Group>
        <Text size="sm" className="quiet">
          <TaskInWords task={project.task} />
        </Text>
        <Text size="sm" className="quiet">
          <Plural value={project.image_count} one="# image" other="# images" />
          {" · "}
          <Plural value={project.label_count} one="# label" other="# labels" />
          {" · "}
          {project.model_count > 0 ? (
            <Plural value={project.model_count} one="# model" other="# models" />
          ) : (
            <Trans>no model yet</Trans>
          )}
        </Text>
      </Stack>
    </Link>
  );
}

function Cover({ project }: { project: Project }) {
  const { data } = useQuery({
    queryKey: [...keys.images(project.id), "cover"],
    enabled: project.image_count > 0,
    staleTime: 300_000,
    queryFn: async () => {
      const { data } = await api.GET("/api/v1/images/", {
        params: { query: { project: project.id, page_size: 4 } },
      });
      return data?.results ?? [];
    },
  });
  return (
    <div className={classes.cover} aria-hidden>
      {data?.map((image) => (
        <img key={image.id} src={`/api/v1/images/${image.id}/thumbnail/?size=256`} alt="" loading="lazy" />
      ))}
      {project.image_count === 0 && (
        <span className="quiet">
          <Icon name="photo" size={32} />
        </span>
      )}
    </div>
  );
}
