import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Paper, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { Problem } from "../../ui/Problem";
import { useTrainingLog } from "../queries";
import classes from "../Trainings.module.css";

/** What the training says, a line an event; read only while it is open. */
export function Log({ project, id, isRunning }: { project: string; id: string; isRunning: boolean }) {
  const { t } = useLingui();
  const [isShown, setIsShown] = useState(false);
  const { data, error } = useTrainingLog(project, id, isRunning, isShown);
  const end = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (data && end.current) end.current.scrollTop = end.current.scrollHeight;
  }, [data]);
  return (
    <Paper className="panel" p="lg">
      <details className={classes.fold} onToggle={(event) => setIsShown(event.currentTarget.open)}>
        <summary>
          <Trans>Log</Trans>
        </summary>
        <Problem error={error} />
        {data === "" && (
          <Text size="sm" className="quiet">
            <Trans>Nothing was written yet.</Trans>
          </Text>
        )}
        {data && (
          <>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
            <pre ref={end} className={classes.log} tabIndex={0} role="region" aria-label={t`Log`}>
              {data}
            </pre>
            <Anchor href={`/api/v1/trainings/${id}/log/`} download={`training-${id}.log`} size="sm">
              <Trans>Download the log</Trans>
            </Anchor>
          </>
        )}
      </details>
    </Paper>
  );
}
