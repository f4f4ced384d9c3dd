import { Trans } from "@lingui/react/macro";
import { useParams } from "@tanstack/react-router";
import { useMayEdit } from "../projects/queries";
import { Page } from "../ui/Page";
import { TrashList } from "./parts/TrashList";

/** What was deleted of one project. */
export default function TrashPage() {
  const { project } = useParams({ from: "/shell/projects/$project/settings/trash" });
  const mayEdit = useMayEdit(project);
  return (
    <Page width="md">
      <TrashList
        project={project}
        mayEdit={mayEdit}
        title={<Trans>Trash</Trans>}
        empty={<Trans>Images, videos, datasets and models that are deleted come here first.</Trans>}
      />
    </Page>
  );
}
