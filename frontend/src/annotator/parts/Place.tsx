import { Trans } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { type Neighbours, useFacets } from "../../gallery/queries";

/** Which one of the images it is. */
export function Place({ around }: { around: Neighbours | undefined }) {
  if (!around || around.position === null) return null;
  return (
    <Words>
      <Trans>
        {(around.position ?? 0) + 1} of {around.total}
      </Trans>
    </Words>
  );
}

/** How far the labelling is. An image with a box is no longer among those without: a place among these would say nothing. */
export function Labelled({ project }: { project: string }) {
  const { data } = useFacets(project, {});
  if (!data) return null;
  const { total } = data;
  const done = data.annotated.yes;
  return (
    <>
      <Words visibleFrom="sm">
        <Trans>
          {done} of {total} labelled
        </Trans>
      </Words>
      {/* A phone has no room for more beside the tools. */}
      <Words hiddenFrom="sm">
        {done} / {total}
      </Words>
    </>
  );
}

function Words(props: { children: ReactNode; visibleFrom?: "sm"; hiddenFrom?: "sm" }) {
  return <Text size="sm" className="quiet" style={{ whiteSpace: "nowrap" }} {...props} />;
}
