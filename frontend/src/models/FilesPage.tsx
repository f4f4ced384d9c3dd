import { Trans } from "@lingui/react/macro";
import { Anchor, Skeleton, Stack, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useProject } from "../projects/queries";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { About } from "./parts/About";
import { Exports } from "./parts/Exports";
import { ModelTabs } from "./parts/ModelTabs";
import { Publish } from "./parts/Publish";
import { Stages } from "./parts/Stages";
import { useModel } from "./queries";

/** What a model is for, and the files that others take of it. */
export default function FilesPage() {
  const { project, model: id } = useParams({ from: "/shell/projects/$project/models/$model/files" });
  const { data: model, error, refetch } = useModel(project, id);
  const { data: owner } = useProject(project);
  // A public model of others is looked at from here: only its own project changes it.
  const isOwn = model?.project === project;
  const mayEdit = isOwn && owner !== undefined && owner.role !== "viewer";
  return (
    <Page>
      <Stack gap="lg">
        <Problem error={error} retry={() => void refetch()} />
        {!model && !error && (
          <>
            <Skeleton height={44} width="50%" />
            <Skeleton height={320} />
          </>
        )}
        {model && (
          <>
            <div>
              <Anchor component={Link} to={`/projects/${project}/models`} size="sm">
                <Trans>All models</Trans>
              </Anchor>
              <Title order={1} size="h2" mt={4} style={{ overflowWrap: "anywhere" }}>
                {model.name} v{model.version}
              </Title>
              <ModelTabs project={project} model={id} />
            </div>
            {isOwn && <Stages project={project} model={model} mayEdit={mayEdit} />}
            <About project={project} model={model} mayEdit={mayEdit} isOwner={owner?.role === "owner"} />
            <Exports project={project} model={model} mayEdit={mayEdit} />
            {mayEdit && <Publish model={model} />}
          </>
        )}
      </Stack>
    </Page>
  );
}
