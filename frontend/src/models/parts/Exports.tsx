import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Group, Paper, Progress, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { useRunning } from "../../activity/useRunning";
import type { Activity } from "../../api/types";
import deviceClasses from "../../devices/Devices.module.css";
import { useJob } from "../../quality/queries";
import { formatBytes } from "../../ui/bytes";
import { Icon } from "../../ui/Icon";
import { formatNumber, formatPercent } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import { figuresOf, type ModelExport } from "../advice";
import { makeExports, refreshModels, useExports } from "../files";
import type { Model } from "../queries";
import { AdviceSentence } from "./AdviceSentence";

interface Props {
  project: string;
  model: Model;
  mayEdit: boolean;
}

/** The files side by side: how large, how good, how quick; what is missing is made from here. */
export function Exports({ project, model, mayEdit }: Props) {
  const { data: exports, error, refetch } = useExports(project, model.id);
  const running = useRunning(project, "model_export", () => void refreshModels(project));
  const [job, setJob] = useState<string | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const make = (kinds: string[], bundleOf: string | null = null) => {
    setProblem(null);
    void makeExports(model.id, kinds, bundleOf).then(setJob, setProblem);
  };
  const missing = exports?.filter(({ file }) => !file || file.stale).map(({ kind }) => kind) ?? [];
  const others = model.files.filter(({ kind }) => !exports?.some((one) => one.kind === kind));
  return (
    <Paper className="panel" p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          <Trans>Files</Trans>
        </Title>
        <Problem error={error} retry={() => void refetch()} />
        {!exports && !error && <Skeleton height={160} />}
        {exports && <AdviceSentence exports={exports} />}
        {exports && exports.length > 0 && (
          <Table model={model} exports={exports} make={mayEdit && !running ? make : undefined} />
        )}
        {mayEdit && !running && missing.length > 1 && (
          <Group>
            <Button size="compact-sm" variant="default" onClick={() => make(missing)}>
              <Trans>Make all that are missing</Trans>
            </Button>
          </Group>
        )}
        {running && <RunningFiles entry={running} />}
        <Problem error={problem} />
        <Refused job={job} />
        {others.length > 0 && (
          <Group gap="md">
            {others.map(({ kind, url, filename, size }) => (
              <Download key={kind} url={url} name={filename} size={size} />
            ))}
          </Group>
        )}
      </Stack>
    </Paper>
  );
}

/** How far the files are: each is written, then tried on the test images. */
function RunningFiles({ entry }: { entry: Activity }) {
  const { t } = useLingui();
  const { done, total } = entry.progress;
  return (
    <Stack gap={6} role="status">
      <Text size="sm">
        {entry.state === "queued" ? (
          <Trans>The files wait for their turn.</Trans>
        ) : (
          <Trans>
            Files are made, and each is tried on the test images before it is offered. This page shows them
            when they are there.
          </Trans>
        )}
      </Text>
      <Progress
        value={done && total ? Math.min(100, (100 * done) / total) : 0}
        animated
        aria-label={t`${done ?? 0} of ${total ?? 0}`}
      />
    </Stack>
  );
}

function Download({ url, name, size }: { url: string; name: string; size: number }) {
  const { i18n } = useLingui();
  return (
    <Anchor href={url} download size="sm" underline="always">
      {name} ({formatBytes(size, i18n.locale)})
    </Anchor>
  );
}

interface TableProps {
  model: Model;
  exports: ModelExport[];
  make: ((kinds: string[], bundleOf?: string) => void) | undefined;
}

function Table({ model, exports, make }: TableProps) {
  const { t } = useLingui();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
    <section className={deviceClasses.scroll} tabIndex={0} aria-label={t`Files side by side`}>
      <table className={deviceClasses.table}>
        <thead>
          <tr>
            <th scope="col">{t`File`}</th>
            <th scope="col" className={deviceClasses.number}>{t`Size`}</th>
            <th scope="col" className={deviceClasses.number}>{t`Says the same`}</th>
            <th scope="col" className={deviceClasses.number}>
              {model.task === "detection" ? "AP50" : model.task === "multilabel" ? "F1" : t`Right`}
            </th>
            <th scope="col" className={deviceClasses.number}>{t`Time an image, here`}</th>
            <th scope="col">
              <span className="visually-hidden">{t`Actions`}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {exports.map((one) => (
            <Row key={one.kind} one={one} make={make} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ one, make }: { one: ModelExport; make: TableProps["make"] }) {
  const { t, i18n } = useLingui();
  const { file, title, runtime } = one;
  const { own, original } = figuresOf(one);
  const percent = (value: number | null | undefined) =>
    typeof value === "number" ? formatPercent(value, i18n.locale, 1) : "–";
  return (
    <tr>
      <td>
        <Text size="sm" fw={600}>
          {title}
        </Text>
        <Text size="xs" className="quiet">
          {file?.stale ? t`made before its thresholds were changed` : runtime}
        </Text>
        {/* Where it is narrow, what one does is seen without scrolling sideways. */}
        <Group gap="xs" mt={6} miw={220} hiddenFrom="sm">
          <Actions one={one} make={make} />
        </Group>
      </td>
      <td className={deviceClasses.number}>{file ? formatBytes(file.size, i18n.locale) : "–"}</td>
      <td className={deviceClasses.number}>{percent(file?.report.agreement)}</td>
      <td className={deviceClasses.number}>
        {percent(own)}
        {own !== undefined && original !== undefined && (
          <Text size="xs" className="quiet">
            <Trans>the model {percent(original)}</Trans>
          </Text>
        )}
      </td>
      <td className={deviceClasses.number}>
        {typeof file?.report.latency_ms === "number"
          ? `${formatNumber(file.report.latency_ms, i18n.locale)} ms`
          : "–"}
      </td>
      <td>
        <Group gap="xs" justify="flex-end" wrap="nowrap" visibleFrom="sm">
          <Actions one={one} make={make} />
        </Group>
      </td>
    </tr>
  );
}

function Actions({ one: { file, title, kind }, make }: { one: ModelExport; make: TableProps["make"] }) {
  const { t } = useLingui();
  return (
    <>
      {file && (
        <Button
          component="a"
          href={file.url}
          download
          size="compact-sm"
          variant="default"
          leftSection={<Icon name="download" size={16} />}
          aria-label={t`Download ${title}`}
        >
          <Trans>Download</Trans>
        </Button>
      )}
      {make && (!file || file.stale) && (
        <Button
          size="compact-sm"
          variant="default"
          aria-label={t`Make ${title}`}
          onClick={() => make([kind])}
        >
          <Trans>Make it</Trans>
        </Button>
      )}
      {make && file && (
        <Button
          size="compact-sm"
          variant="default"
          title={t`A zip with this file, its labels, the model card and a program that runs it`}
          aria-label={t`Bundle of ${title}`}
          onClick={() => make([], kind)}
        >
          <Trans>Bundle</Trans>
        </Button>
      )}
    </>
  );
}

/** What an export did not offer, and why. */
function Refused({ job: id }: { job: string | null }) {
  const { data: job } = useJob(id);
  if (job?.state === "failed" && job.error) return <Problem error={new Error(job.error.detail)} />;
  const refused =
    job?.result?.kind === "model_export" ? (job.result.exports ?? []).filter(({ offered }) => !offered) : [];
  if (refused.length === 0) return null;
  return (
    <Stack gap={4} role="alert">
      {refused.map(({ kind, problem }) => (
        <Text key={kind} size="sm" c="var(--studio-warn)">
          <Trans>
            {kind} is not offered: {problem}
          </Trans>
        </Text>
      ))}
    </Stack>
  );
}
