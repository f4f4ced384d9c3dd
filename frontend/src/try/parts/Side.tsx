import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Loader, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { uuid } from "../../api/ids";
import { Answer, type Box } from "../../models/parts/Answer";
import { useAddress } from "../../models/parts/imageFile";
import { type Model, predict, useModel } from "../../models/queries";
import { Problem } from "../../ui/Problem";
import { LOWEST, reaching } from "../shown";
import { Save } from "./Save";

interface Props {
  project: string;
  id: string;
  file: File;
  threshold: number | null;
  canKeep: boolean;
}

/** What one model says of the image. */
export function Side({ project, id, file, threshold, canKeep }: Props) {
  const { t } = useLingui();
  const { data: model, error } = useModel(project, id);
  const name = model ? `${model.name} v${model.version}` : "";
  return (
    <Stack gap="md" miw={0}>
      <Paper className="panel" p="md" component="section" aria-label={name || t`Model`}>
        <Stack gap="sm">
          <Title order={2} size="h4">
            {name}
          </Title>
          <Problem error={error} />
          {model && (
            <Said project={project} model={model} file={file} threshold={threshold} canKeep={canKeep} />
          )}
        </Stack>
      </Paper>
    </Stack>
  );
}

/** What a model is asked for: boxes and labels below the lowest score that is shown come along; a multilabel model
 * answers with all labels. */
const LOWEST_OF = { detection: LOWEST, classification: 0, multilabel: null };

function Said({ project, model, file, threshold, canKeep }: Omit<Props, "id"> & { model: Model }) {
  const address = useAddress(file);
  const key = useKeyOf(file);
  const [pointed, setPointed] = useState<Box | null>(null);
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: ["tried", model.id, key],
    queryFn: () => predict(model.id, file, LOWEST_OF[model.task]),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    retry: false,
  });
  const [prediction] = data?.predictions ?? [];
  const [rejected] = data?.rejected ?? [];
  const shown = prediction && reaching(prediction, model, threshold);
  return (
    <>
      <Problem error={error} retry={() => void refetch()} />
      {rejected && <Problem error={new Error(rejected.detail)} />}
      {isFetching && (
        <Group gap="sm" role="status">
          <Loader size="sm" />
          <Text size="sm">
            <Trans>The model looks at the image…</Trans>
          </Text>
        </Group>
      )}
      {shown && data && (
        <Answer
          project={project}
          task={model.task}
          prediction={shown}
          address={address}
          milliseconds={data.timing_ms}
          pointed={pointed}
        />
      )}
      {shown && canKeep && (
        <Save key={key} project={project} model={model} file={file} prediction={shown} onPoint={setPointed} />
      )}
    </>
  );
}

/** A name for a file, for as long as it is looked at: two photographs of a phone may be called the same. */
function useKeyOf(file: File): string {
  const [known, setKnown] = useState({ file, key: uuid() });
  if (known.file === file) return known.key;
  const next = { file, key: uuid() };
  setKnown(next);
  return next.key;
}
