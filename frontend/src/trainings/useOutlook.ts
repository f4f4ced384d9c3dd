import { useDebouncedValue } from "@mantine/hooks";
import { useEffect } from "react";
import { isRunning, useActivity } from "../activity/queries";
import { asStudioError, type StudioError } from "../api/errors";
import { queryClient } from "../app/queries";
import { useJob } from "../datasets/queries";
import type { TrainingRequest } from "./form";
import { cancelJob, isOpen, type Preflight, type Seen, usePreflightJob, useSeen } from "./queries";

/** Work that adds images: an estimate in the middle of it would be of a part of them. */
const ARRIVING = new Set(["samples", "import", "custom_vision_import", "video_frames"]);

export interface Outlook {
  isArriving: boolean;
  outlook: Preflight | null;
  /** Images by split and label, which are known before the rest. */
  seen: Seen | null;
  /** Why it cannot be trained, or not estimated. */
  error: StudioError | null;
}

/** What such a training would take; asked for when the form rests, and given up when it changes or is left. */
export function useOutlook(project: string, body: TrainingRequest | null): Outlook {
  const { data: activity } = useActivity(project);
  const isArriving = activity?.some((entry) => ARRIVING.has(entry.kind) && isRunning(entry)) ?? false;
  const [rested] = useDebouncedValue(body && JSON.stringify(body), 600);
  const asked = rested && activity && !isArriving ? (JSON.parse(rested) as TrainingRequest) : null;
  const { data: job, error } = usePreflightJob(asked);
  const { data: now } = useJob(project, job?.id ?? null);
  useEffect(() => {
    if (!job) return undefined;
    return () => {
      const last = queryClient.getQueryData<typeof job>(["projects", project, "jobs", job.id]) ?? job;
      if (isOpen(last.state)) void cancelJob(job.id);
      // The data may be other ones when the page is opened again.
      queryClient.removeQueries({ queryKey: ["preflight"], type: "inactive" });
    };
  }, [job, project]);
  const { data: counted } = useSeen(project, body?.dataset ?? null, job?.id);
  const result = now?.result?.kind === "preflight" ? now.result : null;
  const failure = now?.state === "failed" && now.error ? new Error(now.error.detail) : null;
  const problem = error ?? failure;
  return {
    isArriving,
    outlook: result,
    seen: result?.images ? result : (counted ?? null),
    error: problem ? asStudioError(problem) : null,
  };
}
