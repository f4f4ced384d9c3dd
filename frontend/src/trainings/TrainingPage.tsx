import { Trans, useLingui } from "@lingui/react/macro";
import { Anchor, Button, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useShortcut } from "../keyboard/useShortcut";
import { useMayEdit } from "../projects/queries";
import { ConfirmDelete } from "../ui/ConfirmDelete";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { About } from "./parts/About";
import { Curves } from "./parts/Curves";
import { Log } from "./parts/Log";
import { NotifyMe } from "./parts/NotifyMe";
import { Now } from "./parts/Now";
import { Result } from "./parts/Result";
import { StateBadge } from "./parts/StateBadge";
import { cancelTraining, deleteTraining, isOpen, retryTraining, useTraining } from "./queries";
import { useTitleProgress } from "./useTitleProgress";

/** One training, from its place in the queue to what its result means. */
export default function TrainingPage() {
  const { t } = useLingui();
  const { project, training: id } = useParams({ from: "/shell/projects/$project/trainings/$training" });
  const navigate = useNavigate();
  const mayEdit = useMayEdit(project);
  const { data: run, error, refetch } = useTraining(project, id);
  const [problem, setProblem] = useState<unknown>(null);
  const [asks, setAsks] = useState<"cancel" | "delete" | null>(null);
  useTitleProgress(run);
  const canStop = mayEdit && run !== undefined && isOpen(run.state);
  useShortcut({
    id: "training.cancel",
    scope: t`Training`,
    title: t`Cancel the training`,
    keys: "Shift+C",
    disabled: !canStop,
    run: () => setAsks("cancel"),
  });
  const again = async () => {
    setProblem(null);
    try {
      const next = await retryTraining(project, id);
      await navigate({
        to: "/projects/$project/trainings/$training",
        params: { project, training: next.id },
      });
    } catch (refused) {
      setProblem(refused);
    }
  };
  if (error && !run)
    return (
      <Page>
        <Problem error={error} retry={() => void refetch()} />
      </Page>
    );
  if (!run)
    return (
      <Page>
        <Stack>
          <Skeleton height={44} width="60%" />
          <Skeleton height={110} />
          <Skeleton height={280} />
        </Stack>
      </Page>
    );
  const hasStopped = run.state === "failed" || run.state === "cancelled";
  return (
    <Page>
      <Stack gap="lg">
        <div>
          <Anchor component={Link} to={`/projects/${project}/trainings`} size="sm">
            <Trans>All trainings</Trans>
          </Anchor>
          <Group justify="space-between" mt={4}>
            <Group gap="sm">
              <Title order={1} size="h2">
                {run.name || run.model_name || t`Training`}
              </Title>
              <StateBadge state={run.state} />
            </Group>
            {mayEdit && (
              <Group gap="xs">
                {canStop && (
                  <Button
                    variant="default"
                    leftSection={<Icon name="player-stop" />}
                    onClick={() => setAsks("cancel")}
                  >
                    <Trans>Cancel</Trans>
                  </Button>
                )}
                {hasStopped && (
                  <Button leftSection={<Icon name="refresh" />} onClick={() => void again()}>
                    <Trans>Train again</Trans>
                  </Button>
                )}
                {!isOpen(run.state) && (
                  <Button
                    variant="default"
                    leftSection={<Icon name="trash" />}
                    onClick={() => setAsks("delete")}
                  >
                    <Trans>Delete</Trans>
                  </Button>
                )}
              </Group>
            )}
          </Group>
          {run.search && (
            <Anchor component={Link} to={`/projects/${project}/searches/${run.search}`} size="sm">
              <Trans>Part of a search for better settings</Trans>
            </Anchor>
          )}
        </div>
        <Problem error={problem} />
        {isOpen(run.state) && <Now run={run} />}
        {isOpen(run.state) && <NotifyMe />}
        {run.state === "failed" && (
          <Problem error={new Error(run.error?.detail ?? t`The training ended without a reason.`)} />
        )}
        {run.state === "cancelled" && (
          <Text className="quiet">
            <Trans>It was cancelled. “Train again” starts it with the same settings and images.</Trans>
          </Text>
        )}
        {run.state === "succeeded" && <Result project={project} run={run} mayEdit={mayEdit} />}
        <Curves
          history={run.history}
          isOpen={isOpen(run.state)}
          isSolved={run.configuration.head_solver === "lbfgs"}
        />
        <About run={run} />
        <Log project={project} id={id} isRunning={isOpen(run.state)} />
      </Stack>
      <ConfirmDelete
        opened={asks === "cancel"}
        close={() => setAsks(null)}
        title={t`Cancel this training?`}
        action={t`Cancel the training`}
        keep={t`Let it go on`}
        confirm={() => cancelTraining(project, id)}
      >
        <Trans>What it has learned so far is lost. It can be started again with the same settings.</Trans>
      </ConfirmDelete>
      <ConfirmDelete
        opened={asks === "delete"}
        close={() => setAsks(null)}
        title={t`Delete this training?`}
        confirm={async () => {
          await deleteTraining(project, id);
          await navigate({ to: "/projects/$project/trainings", params: { project } });
        }}
      >
        <Trans>Its curves and its log are removed. Its model stays. This cannot be undone.</Trans>
      </ConfirmDelete>
    </Page>
  );
}
