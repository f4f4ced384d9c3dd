import { Trans } from "@lingui/react/macro";
import { Anchor } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Page } from "../ui/Page";
import { TrashList } from "./parts/TrashList";

/** Projects that were deleted, for those who owned them. */
export default function ProjectsTrashPage() {
  return (
    <Page width="md">
      <Anchor component={Link} to="/" size="sm">
        <Trans>All projects</Trans>
      </Anchor>
      <TrashList
        project={null}
        mayEdit
        title={<Trans>Deleted projects</Trans>}
        empty={<Trans>Projects that you delete come here first.</Trans>}
      />
    </Page>
  );
}
