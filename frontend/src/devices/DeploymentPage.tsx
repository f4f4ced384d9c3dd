import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { StudioError } from "../api/errors";
import { useMayEdit } from "../projects/queries";
import { ConfirmDelete } from "../ui/ConfirmDelete";
import { formatPercent, formatTime } from "../ui/numbers";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import classes from "./Devices.module.css";
import { act, type Deployment, type DeploymentAction, useDeployment } from "./queries";
import { stillTake } from "./seen";
import { useDeploymentStates } from "./words";

/** One roll-out: how far it is, what devices reported, and the ways to stop it and to return. */
export default function DeploymentPage() {
  const { project, deployment: id } = useParams({ from: "/shell/projects/$project/deployments/$deployment" });
  const { data, error, refetch } = useDeployment(project, id);
  const mayEdit = useMayEdit(project);
  return (
    <Page width="md">
      <Stack gap="lg">
        <Problem error={error} retry={() => void refetch()} />
        {!data && !error && <Skeleton height={220} radius="md" />}
        {data && <About project={project} deployment={data} mayEdit={mayEdit} />}
      </Stack>
    </Page>
  );
}

interface Props {
  project: string;
  deployment: Deployment;
  mayEdit: boolean;
}

function About({ project, deployment, mayEdit }: Props) {
  const { i18n } = useLingui();
  const states = useDeploymentStates();
  const { reports, steps = [], step, state } = deployment;
  const by = deployment.created_by;
  const remaining = stillTake(state, reports);
  return (
    <>
      <div>
        <Anchor component={Link} to={`/projects/${project}/devices`} size="sm">
          <Trans>All devices</Trans>
        </Anchor>
        <Title order={1} size="h2" mt={4}>
          <Trans>
            {deployment.model_name} to {deployment.group_name}
          </Trans>
        </Title>
        <Text className="quiet" size="sm">
          {states[state]} · {formatTime(deployment.created_at, i18n.locale)}
          {by && <> · {by}</>}
        </Text>
        {deployment.note && <Text mt="xs">{deployment.note}</Text>}
      </div>
      <Paper className="panel" p="lg">
        <Stack gap="md">
          <ol className={classes.steps}>
            {steps.map((percent, index) => (
              <li key={percent} className={classes.step} data-is={placeOf(index, step, state)}>
                {formatPercent(percent / 100, i18n.locale)}
              </li>
            ))}
          </ol>
          <Text>
            <Plural
              value={reports.assigned}
              _0="No device is to run it."
              one="# device is to run it."
              other="# devices are to run it."
            />{" "}
            <Plural
              value={reports.reported}
              _0="None has reported."
              one="# has reported."
              other="# have reported."
            />{" "}
            <Text span inherit c={reports.failed > 0 ? "var(--studio-bad)" : "var(--studio-good)"}>
              <Plural
                value={reports.failed}
                _0="None has failed."
                one="# has failed."
                other="# have failed."
              />
            </Text>
          </Text>
          {remaining > 0 && (
            <Text size="sm" c="var(--studio-warn)">
              <Plural
                value={remaining}
                one="No further device gets it. # device was told of it before and takes it all the same, unless you roll back."
                other="No further device gets it. # devices were told of it before and take it all the same, unless you roll back."
              />
            </Text>
          )}
          {deployment.stale && (
            <Text size="sm" c="var(--studio-warn)">
              <Trans>
                The thresholds of the model were changed since. Roll it out again for the devices to have
                them.
              </Trans>
            </Text>
          )}
          {mayEdit && <Actions project={project} deployment={deployment} />}
        </Stack>
      </Paper>
    </>
  );
}

function placeOf(index: number, step: number, state: Deployment["state"]): "done" | "now" | "open" {
  if (state === "completed" || index < step) return "done";
  return index === step && state === "rolling" ? "now" : "open";
}

/** Codes of refusals that one can overrule, knowing what they say. */
const OVERRULED = ["step_not_reported", "nothing_to_return_to"];

function Actions({ project, deployment }: Omit<Props, "mayEdit">) {
  const { t } = useLingui();
  const [busy, setBusy] = useState<DeploymentAction | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [refused, setRefused] = useState<{ action: DeploymentAction; why: string } | null>(null);
  const [isReturning, setIsReturning] = useState(false);
  const { state, id, step, steps = [] } = deployment;
  const run = async (action: DeploymentAction) => {
    setBusy(action);
    setError(null);
    try {
      await act(project, id, action);
    } catch (problem) {
      if (problem instanceof StudioError && OVERRULED.includes(problem.code))
        setRefused({ action, why: problem.message });
      else setError(problem);
    } finally {
      setBusy(null);
    }
  };
  if (state === "replaced" || state === "rolled_back") return null;
  return (
    <Stack gap="xs">
      <Group gap="xs">
        {state === "rolling" && (
          <>
            <Button variant="default" loading={busy === "advance"} onClick={() => void run("advance")}>
              {step + 1 < steps.length ? (
                <Trans>Take the next step now</Trans>
              ) : (
                <Trans>Call it completed now</Trans>
              )}
            </Button>
            <Button variant="default" loading={busy === "stop"} onClick={() => void run("stop")}>
              <Trans>Stop it</Trans>
            </Button>
          </>
        )}
        {state === "stopped" && (
          <Button variant="default" loading={busy === "resume"} onClick={() => void run("resume")}>
            <Trans>Go on</Trans>
          </Button>
        )}
        <Button
          color="red"
          variant="light"
          loading={busy === "rollback"}
          onClick={() => setIsReturning(true)}
        >
          <Trans>Roll back</Trans>
        </Button>
      </Group>
      <Problem error={error} />
      <ConfirmDelete
        opened={isReturning}
        title={t`Roll back?`}
        action={t`Roll back`}
        confirm={() => run("rollback")}
        close={() => setIsReturning(false)}
      >
        <Trans>Every device returns to the model that it ran before.</Trans>
      </ConfirmDelete>
      <ConfirmDelete
        opened={refused !== null}
        title={t`Do it all the same?`}
        action={t`Do it`}
        confirm={() => act(project, id, refused?.action ?? "stop", true)}
        close={() => setRefused(null)}
      >
        {refused?.why}
      </ConfirmDelete>
    </Stack>
  );
}
