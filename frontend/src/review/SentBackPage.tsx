import { Trans } from "@lingui/react/macro";
import { useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Filter } from "../gallery/filter";
import { ReviewTabs } from "./parts/ReviewTabs";
import { Suggestions } from "./ReviewPage";

/** Images that devices were unsure of, each with what its model said: right or wrong, they teach the most. */
export default function SentBackPage() {
  const { project } = useParams({ from: "/shell/projects/$project/review/devices" });
  const search = useSearch({ from: "/shell/projects/$project/review/devices" });
  const among = useMemo<Filter>(() => ({ ...search, from_devices: true, annotated: false }), [search]);
  return (
    <>
      <ReviewTabs project={project} />
      <Suggestions
        project={project}
        among={among}
        empty={{
          title: <Trans>No image of a device waits</Trans>,
          text: (
            <Trans>
              Devices that were started with --feedback send back what their model is unsure of. Here you say
              what is right; the next training learns from it.
            </Trans>
          ),
        }}
      />
    </>
  );
}
