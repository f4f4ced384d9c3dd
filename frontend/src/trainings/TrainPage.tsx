import { plural } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Select, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { asStudioError, type StudioError } from "../api/errors";
import { useShortcut } from "../keyboard/useShortcut";
import { useModel } from "../models/queries";
import { useProject } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { changedSettings, inSizeOf, problemOf, requestOf, type TrainForm } from "./form";
import { forgetForm, keepForm, keptForm } from "./keptForm";
import { Expert } from "./parts/Expert";
import { Freezing } from "./parts/Freezing";
import { isMissing, Missing } from "./parts/Missing";
import { Outlook } from "./parts/Outlook";
import { PresetPicker } from "./parts/PresetPicker";
import { SearchStart } from "./parts/SearchStart";
import { startTraining, useOptions, useTrainings } from "./queries";
import { useOutlook } from "./useOutlook";

const MINUTES = [1, 2, 5, 8, 15, 30, 60, 240, 720, 0];

/** One button with good defaults, and what will happen in plain words. */
export default function TrainPage() {
  const { t } = useLingui();
  const { project: id } = useParams({ from: "/shell/projects/$project/trainings/new" });
  const { base } = useSearch({ from: "/shell/projects/$project/trainings/new" });
  const navigate = useNavigate();
  const { data: project } = useProject(id);
  const options = useOptions(id);
  const succeeded = useTrainings(id, { state: "succeeded" });
  const start = base ?? null;
  const [typed, setTyped] = useState<TrainForm>(() => keptForm(id, start));
  const setForm = (next: TrainForm) => {
    setTyped(next);
    keepForm(id, start, next);
  };
  const { data: from } = useModel(id, typed.base);
  const form = inSizeOf(typed, typed.base === null ? undefined : from);
  const [error, setError] = useState<StudioError | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const [freezing, setFreezing] = useState<string | null>(null);
  const settings = options.data?.settings ?? [];
  const isSound = settings.every((setting) => !problemOf(setting, form.settings[setting.name] ?? ""));
  const mayTrain = project !== undefined && project.role !== "viewer";
  const body = options.data && isSound && mayTrain ? requestOf(id, form, settings) : null;
  const { isArriving, outlook, seen, error: refusal } = useOutlook(id, freezing ? null : body);
  const show = (training: string) =>
    void navigate({ to: "/projects/$project/trainings/$training", params: { project: id, training } });
  const train = async () => {
    if (!body || isBusy) return;
    setIsBusy(true);
    setError(null);
    try {
      const started = await startTraining(body);
      forgetForm(id, start);
      if ("history" in started) show(started.id);
      else setFreezing(started.id);
    } catch (problem) {
      setError(asStudioError(problem));
    } finally {
      setIsBusy(false);
    }
  };
  const isReady = body !== null && !isMissing(refusal) && !isArriving;
  useShortcut({
    id: "train.start",
    scope: t({ message: "Train", context: "verb" }),
    title: t`Start the training`,
    keys: "Mod+Enter",
    inFields: true,
    disabled: !isReady,
    run: () => void train(),
  });
  if (!project) return null;
  if (!mayTrain)
    return (
      <EmptyState icon="lock" title={<Trans>You may look at this project, not train in it</Trans>}>
        <Trans>Ask one of its owners to make you an editor.</Trans>
      </EmptyState>
    );
  const preset = options.data?.presets.find(({ name }) => name === form.preset);
  const scores = succeeded.data?.pages.flatMap(({ results }) => results.flatMap(({ score }) => score ?? []));
  const usual = { ...preset?.configuration, ...(outlook?.configuration ?? {}) };
  const timeOf = (minutes: number) => {
    if (minutes === 0) return t`as long as it takes`;
    if (minutes < 60) return plural(minutes, { one: "about # minute", other: "about # minutes" });
    return t`about ${minutes / 60} h`;
  };
  const usualTime = (minutes: number | null | undefined) =>
    minutes
      ? plural(minutes, { one: "at most # minute", other: "at most # minutes" })
      : t`as long as it takes`;
  const others = error?.beside("name", "base_model", ...settings.map(({ name }) => name));
  return (
    <Page>
      <Stack gap="lg">
        <div>
          <Title order={1} size="h2">
            <Trans>Train a model</Trans>
          </Title>
          <Text className="quiet">
            {project.task === "detection" ? (
              <Trans>A detector: it finds things on images and draws a box around each.</Trans>
            ) : (
              <Trans>A classifier: it names what is on an image.</Trans>
            )}
          </Text>
        </div>
        <Problem error={options.error} retry={() => void options.refetch()} />
        {isMissing(refusal) && refusal && <Missing project={id} error={refusal} />}
        {freezing && <Freezing project={id} job={freezing} onTraining={show} />}
        <Paper className="panel" p="lg">
          <Stack>
            {options.data ? (
              <PresetPicker
                presets={options.data.presets}
                value={form.preset}
                changed={changedSettings(form, preset?.configuration).length}
                onChange={(name) => setForm({ ...form, preset: name })}
              />
            ) : (
              <Skeleton height={110} />
            )}
            <Group align="flex-end" justify="space-between">
              <Select
                w={240}
                label={t`Time`}
                description={t`Size and epochs are chosen for it`}
                clearable
                placeholder={usualTime(preset?.configuration.minutes)}
                data={MINUTES.map((minutes) => ({ value: String(minutes), label: timeOf(minutes) }))}
                value={form.minutes === null ? null : String(form.minutes)}
                onChange={(minutes) =>
                  setForm({ ...form, minutes: minutes === null ? null : Number(minutes) })
                }
              />
              <Button
                size="md"
                leftSection={<Icon name="player-play" />}
                loading={isBusy}
                disabled={!isReady || freezing !== null}
                onClick={() => void train()}
              >
                <Trans context="verb">Train</Trans>
              </Button>
            </Group>
            {isArriving && (
              <Text size="sm" className="quiet" role="status">
                <Trans>Images are still arriving. You can train as soon as all are here.</Trans>
              </Text>
            )}
            {!isSound && (
              <Text size="sm" c="var(--studio-bad)" role="alert">
                <Trans>First correct what is marked in the expert settings.</Trans>
              </Text>
            )}
            {others && <Problem error={error} />}
          </Stack>
        </Paper>
        {isSound && !isMissing(refusal) && !isArriving && !freezing && (
          <>
            <Problem error={refusal} />
            {!refusal && (
              <Outlook
                project={id}
                task={project.task ?? "classification"}
                outlook={outlook}
                seen={seen}
                bestBefore={scores && scores.length > 0 ? Math.max(...scores) : null}
              />
            )}
          </>
        )}
        <Paper className="panel" p="lg">
          <Stack gap="md">
            <Expert
              project={project}
              form={form}
              settings={settings}
              usual={usual}
              error={error ?? refusal}
              onChange={setForm}
            />
            <SearchStart
              body={isReady ? body : null}
              onStart={({ id: started, isSearch }) =>
                isSearch
                  ? void navigate({
                      to: "/projects/$project/searches/$search",
                      params: { project: id, search: started },
                    })
                  : setFreezing(started)
              }
            />
          </Stack>
        </Paper>
      </Stack>
    </Page>
  );
}
