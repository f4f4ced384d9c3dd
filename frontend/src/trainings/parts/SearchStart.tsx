import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Select, Text } from "@mantine/core";
import { useState } from "react";
import { Icon } from "../../ui/Icon";
import { Problem } from "../../ui/Problem";
import type { TrainingRequest } from "../form";
import { startSearch } from "../queries";
import classes from "../Trainings.module.css";

interface Props {
  body: TrainingRequest | null;
  /** The id of the search, or of the job that takes the snapshot first. */
  onStart: (started: { id: string; isSearch: boolean }) => void;
}

/** Several trainings instead of one: the better half of each round trains twice as long. */
export function SearchStart({ body, onStart }: Props) {
  const { t } = useLingui();
  const [runs, setRuns] = useState("7");
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const start = async () => {
    if (!body) return;
    setIsBusy(true);
    setError(null);
    try {
      const started = await startSearch({ ...body, max_runs: Number(runs) });
      onStart({ id: started.id, isSearch: "runs" in started });
    } catch (problem) {
      setError(problem);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <details className={classes.fold}>
      <summary>
        <Trans>Search for better settings</Trans>
      </summary>
      <Text size="sm" className="quiet" mb="sm" maw={640}>
        <Trans>
          The studio tries several settings for a short time, trains the better half twice as long, and keeps
          the best model. What is set above holds for all of them, the time for the whole search.
        </Trans>
      </Text>
      <Group align="flex-end">
        <Select
          w={150}
          label={t`Trainings`}
          allowDeselect={false}
          data={["3", "7", "15", "31"]}
          value={runs}
          onChange={(value) => setRuns(value ?? "7")}
        />
        <Button
          variant="default"
          leftSection={<Icon name="search" />}
          loading={isBusy}
          disabled={!body}
          onClick={() => void start()}
        >
          <Trans>Start the search</Trans>
        </Button>
      </Group>
      <Problem error={error} />
    </details>
  );
}
