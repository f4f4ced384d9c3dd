import { useEffect, useRef } from "react";
import type { Activity } from "../api/types";
import { isRunning, useActivity } from "./queries";

/** The work of this kind that waits or runs in the project, and a call when it has ended. The event stream refreshes it. */
export function useRunning(project: string, kind: Activity["kind"], onEnd: () => void): Activity | undefined {
  const { data } = useActivity(project);
  const running = data?.find((entry) => entry.kind === kind && isRunning(entry));
  const before = useRef<string | undefined>(undefined);
  const end = useRef(onEnd);
  end.current = onEnd;
  useEffect(() => {
    if (before.current && before.current !== running?.id) end.current();
    before.current = running?.id;
  }, [running?.id]);
  return running;
}
