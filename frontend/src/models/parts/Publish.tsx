import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, MultiSelect, Paper, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import { useJob } from "../../quality/queries";
import { CopyText } from "../../ui/CopyText";
import { Problem } from "../../ui/Problem";
import { QrCode } from "../../ui/QrCode";
import { type PublishedFile, publish } from "../files";
import type { Model } from "../queries";

/** Links to files of the model that work without a login, for as long as one says. */
export function Publish({ model }: { model: Model }) {
  const { t } = useLingui();
  const [kinds, setKinds] = useState<string[]>([]);
  const [seconds, setSeconds] = useState("86400");
  const [job, setJob] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const { data } = useJob(job);
  const isBusy = job !== null && (!data || data.state === "queued" || data.state === "running");
  const start = () => {
    setError(null);
    setJob(null);
    void publish(model.id, kinds, Number(seconds)).then(setJob, setError);
  };
  const result = data?.result?.kind === "model_publish" ? data.result : null;
  return (
    <Paper className="panel" p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          <Trans>Links for others</Trans>
        </Title>
        <Text size="sm" className="quiet">
          <Trans>Who has the link can download the file without a login, until the link ends.</Trans>
        </Text>
        <Group align="flex-end">
          <MultiSelect
            label={t`Files`}
            placeholder={kinds.length ? undefined : t`all files`}
            data={model.files.map(({ kind }) => kind)}
            value={kinds}
            onChange={setKinds}
            miw={240}
            maw={420}
          />
          <Select
            label={t`The links work for`}
            allowDeselect={false}
            data={[
              { value: "3600", label: t`an hour` },
              { value: "86400", label: t`a day` },
              { value: "604800", label: t`a week` },
            ]}
            value={seconds}
            onChange={(value) => setSeconds(value ?? "86400")}
          />
          <Button variant="default" loading={isBusy} onClick={start}>
            <Trans>Make links</Trans>
          </Button>
        </Group>
        <Problem error={error} />
        {data?.state === "failed" && data.error && <Problem error={new Error(data.error.detail)} />}
        {result?.files?.map((file) => (
          <Published key={file.kind} file={file} />
        ))}
      </Stack>
    </Paper>
  );
}

function Published({ file }: { file: PublishedFile }) {
  const { t } = useLingui();
  const [isShown, setIsShown] = useState(false);
  const address = file.url ? new URL(file.url, window.location.origin).href : file.remote_id;
  return (
    <Stack gap="xs">
      <Group align="flex-end" gap="xs">
        <TextInput flex={1} miw={220} label={file.filename} value={address} readOnly />
        <CopyText value={address} size="sm" />
        <Button variant="default" aria-expanded={isShown} onClick={() => setIsShown(!isShown)}>
          <Trans>QR code</Trans>
        </Button>
      </Group>
      {isShown && <QrCode text={address} label={t`QR code of the link to ${file.filename}`} />}
    </Stack>
  );
}
