import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Modal, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import { formatTime } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import { moveToStage, type StageName, useInProduction, useStages } from "../files";
import type { Model } from "../queries";
import { useStageWords } from "../words";

const STAGES: StageName[] = ["staging", "production", "archived", "none"];

/** What the model is for, who said so, and when. */
export function Stages({ project, model, mayEdit }: { project: string; model: Model; mayEdit: boolean }) {
  const { i18n } = useLingui();
  const words = useStageWords();
  const { data: changes, error, refetch } = useStages(project, model.id);
  const [wanted, setWanted] = useState<StageName | null>(null);
  const stage = model.stage ?? "none";
  return (
    <Paper className="panel" p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          <Trans>Stage: {words[stage].name}</Trans>
        </Title>
        <Text size="sm" className="quiet">
          {words[stage].meaning}
        </Text>
        {mayEdit && (
          <Group gap="xs">
            {STAGES.filter((one) => one !== stage).map((one) => (
              <Button key={one} size="compact-sm" variant="default" onClick={() => setWanted(one)}>
                <Trans>Move to {words[one].name}</Trans>
              </Button>
            ))}
          </Group>
        )}
        <Problem error={error} retry={() => void refetch()} />
        {changes && changes.length > 0 && (
          <ol style={{ margin: 0, paddingLeft: 18 }} reversed>
            {changes.map((change) => (
              <li key={change.id}>
                <Text size="sm" span>
                  {words[change.before].name} → {words[change.after].name}
                </Text>
                <Text size="sm" span className="quiet">
                  {" · "}
                  {formatTime(change.changed_at, i18n.locale)}
                  {change.changed_by && ` · ${change.changed_by}`}
                  {change.note && ` · ${change.note}`}
                </Text>
              </li>
            ))}
          </ol>
        )}
      </Stack>
      {wanted && <Move project={project} model={model} stage={wanted} close={() => setWanted(null)} />}
    </Paper>
  );
}

interface MoveProps {
  project: string;
  model: Model;
  stage: StageName;
  close: () => void;
}

function Move({ project, model, stage, close }: MoveProps) {
  const { t } = useLingui();
  const words = useStageWords();
  const { data: current } = useInProduction(project, stage === "production");
  const [note, setNote] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const move = async () => {
    setIsBusy(true);
    setError(null);
    try {
      await moveToStage(project, model.id, stage, note.trim());
      close();
    } catch (problem) {
      setError(problem);
      setIsBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t`Move ${model.name} v${model.version} to ${words[stage].name}?`}
      closeButtonProps={{ "aria-label": t`Close` }}
    >
      <Stack>
        <Text size="sm">{words[stage].meaning}</Text>
        {current && (
          <Text size="sm">
            <Trans>
              In production now: {current.name} v{current.version}.
            </Trans>
          </Text>
        )}
        <TextInput
          label={t`Why`}
          description={t`It is kept in the history.`}
          value={note}
          maxLength={500}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <Problem error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            <Trans>Cancel</Trans>
          </Button>
          <Button loading={isBusy} onClick={() => void move()}>
            <Trans>Move it</Trans>
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
