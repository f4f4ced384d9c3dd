import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Group, SimpleGrid, Skeleton, TextInput, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { FromCustomVision } from "./parts/FromCustomVision";
import { Invitations } from "./parts/Invitations";
import { NewProject } from "./parts/NewProject";
import { ProjectCard } from "./parts/ProjectCard";
import { TrySamples } from "./parts/TrySamples";
import { useProjects } from "./queries";

const MANY = 8;

export default function ProjectsPage() {
  const { t } = useLingui();
  const { data, error, refetch } = useProjects();
  const [isNew, setIsNew] = useState(false);
  const [name, setName] = useState("");
  const found = data?.filter((project) => project.name.toLowerCase().includes(name.trim().toLowerCase()));
  const create = (
    <Button leftSection={<Icon name="plus" />} onClick={() => setIsNew(true)}>
      <Trans>New project</Trans>
    </Button>
  );
  return (
    <Page>
      <Group justify="space-between" mb="lg">
        <Title order={1} size="h2">
          <Trans>Projects</Trans>
        </Title>
        {data && data.length > 0 && (
          <Group>
            {data.length > MANY && (
              <TextInput
                aria-label={t`Find a project`}
                placeholder={t`Find a project`}
                leftSection={<Icon name="search" size={16} />}
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
            )}
            <FromCustomVision />
            {create}
          </Group>
        )}
      </Group>
      <Invitations />
      <Problem error={error} retry={() => void refetch()} />
      {!data && !error && (
        <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }}>
          {["a", "b", "c"].map((key) => (
            <Skeleton key={key} height={190} radius="md" />
          ))}
        </SimpleGrid>
      )}
      {data?.length === 0 && (
        <EmptyState
          icon="photo-plus"
          title={<Trans>Teach a model to see what you see</Trans>}
          action={
            <Group justify="center" mt="sm">
              {create}
              <TrySamples />
              <FromCustomVision />
            </Group>
          }
        >
          <Trans>
            Make a project, drop your photographs in, say what is on them, and train a model from it. Or try
            it first with images that the studio draws itself.
          </Trans>
        </EmptyState>
      )}
      {found && found.length === 0 && data && data.length > 0 && (
        <EmptyState icon="search" title={<Trans>No project is called that</Trans>} />
      )}
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }}>
        {found?.map((project) => (
          <ProjectCard key={project.id} project={project} />
        ))}
      </SimpleGrid>
      {data && data.length > 0 && data.length < 3 && (
        <Group mt="xl" justify="center">
          <TrySamples />
        </Group>
      )}
      <Group mt="xl" justify="center">
        <Anchor component={Link} to="/trash" size="sm" className="quiet">
          <Trans>Deleted projects</Trans>
        </Anchor>
      </Group>
      <NewProject opened={isNew} close={() => setIsNew(false)} />
    </Page>
  );
}
