import { Trans } from "@lingui/react/macro";
import { Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { send } from "../api/client";
import { asStudioError } from "../api/errors";
import { keys } from "../api/keys";
import { useSession } from "../api/session";
import { queryClient } from "../app/queries";
import { Problem } from "../ui/Problem";
import { FormPage } from "./FormPage";

const json = { "Content-Type": "application/json" };

/** Where an invitation link leads: its project, and joining it with the account that one has or makes. */
export default function JoinPage() {
  const { invitation } = useParams({ from: "/join/$invitation" });
  const session = useSession();
  const navigate = useNavigate();
  const [failure, setFailure] = useState<unknown>(null);
  const { data, error } = useQuery({
    queryKey: ["join", invitation],
    queryFn: () =>
      send<{ project_name: string; invited_by: string | null }>(
        "POST",
        "/api/v1/join/preview/",
        JSON.stringify({ token: invitation }),
        json,
      ),
  });
  const join = async () => {
    try {
      const { project } = await send<{ project: string }>(
        "POST",
        "/api/v1/join/",
        JSON.stringify({ token: invitation }),
        json,
      );
      await queryClient.invalidateQueries({ queryKey: keys.projects });
      await navigate({ to: "/projects/$project", params: { project } });
    } catch (problem) {
      setFailure(problem);
    }
  };
  const isMember = failure !== null && asStudioError(failure).code === "already_member";
  const next = `/join/${invitation}`;
  return (
    <FormPage title={<Trans>You are invited</Trans>}>
      <Problem error={error ?? failure} />
      {data && (
        <Stack>
          <Text>
            <Trans>
              {data.invited_by ?? "…"} invites you to the project <strong>{data.project_name}</strong>.
            </Trans>
          </Text>
          {isMember ? (
            <Button renderRoot={(props) => <Link to="/" {...props} />}>
              <Trans>To your projects</Trans>
            </Button>
          ) : session?.user ? (
            <Button onClick={() => void join()}>
              <Trans>Join as {session.user.username}</Trans>
            </Button>
          ) : (
            <Group grow>
              <Button renderRoot={(props) => <Link to="/register" search={{ next }} {...props} />}>
                <Trans>Create an account</Trans>
              </Button>
              <Button
                variant="default"
                renderRoot={(props) => <Link to="/login" search={{ next }} {...props} />}
              >
                <Trans>Log in</Trans>
              </Button>
            </Group>
          )}
        </Stack>
      )}
    </FormPage>
  );
}
