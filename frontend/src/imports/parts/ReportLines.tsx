import { Trans } from "@lingui/react/macro";
import { Anchor, Paper, ScrollArea, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { send } from "../../api/client";
import { keys } from "../../api/keys";

interface Line {
  code?: string;
  filename?: string;
  file?: string;
  line?: number | null;
  detail?: string;
}

/** What was not taken as it is, file by file. */
export function ReportLines({ project, job }: { project: string; job: string }) {
  const { data } = useQuery({
    queryKey: [...keys.project(project), "jobs", job, "report"],
    queryFn: () => send<{ results: Line[] }>("GET", `/api/v1/jobs/${job}/report/lines/?page_size=200`),
  });
  if (!data || data.results.length === 0) return null;
  return (
    <Paper className="panel" p="lg">
      <Stack gap="xs">
        <Title order={2} size="h4">
          <Trans>Remarks</Trans>
        </Title>
        <ScrollArea.Autosize mah={360}>
          {data.results.map((line, place) => (
            <Text key={`${line.filename}-${line.code}-${String(place)}`} size="sm" py={2}>
              <strong>{line.filename ?? line.file}</strong>
              {line.line ? `:${line.line}` : ""} {line.detail ?? line.code}
            </Text>
          ))}
        </ScrollArea.Autosize>
        <Anchor href={`/api/v1/jobs/${job}/report/`} download size="sm">
          <Trans>Download the whole report</Trans>
        </Anchor>
      </Stack>
    </Paper>
  );
}
