import { Trans } from "@lingui/react/macro";
import { Button, Center, Stack, Text, Title } from "@mantine/core";
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { createContext, useContext } from "react";
import { asStudioError } from "../api/errors";

/** Whether the frame of the page around it has the landmark of its content already. */
export const IsWithinMain = createContext(false);

export function ErrorPage({ error }: ErrorComponentProps) {
  const router = useRouter();
  const problem = asStudioError(error);
  if (problem.status === 404) return <NotFoundPage />;
  return (
    <Message
      title={
        problem.status === 0 ? (
          <Trans>The studio cannot be reached</Trans>
        ) : (
          <Trans>This page could not be shown</Trans>
        )
      }
      text={
        problem.status === 0 ? (
          <Trans>
            It may be starting, or the network is down. What you changed waits here and is sent later.
          </Trans>
        ) : (
          problem.message
        )
      }
      action={
        <Button onClick={() => void router.invalidate()}>
          <Trans>Try again</Trans>
        </Button>
      }
    />
  );
}

export function NotFoundPage() {
  return (
    <NothingHere>
      <Button component={Link} to="/">
        <Trans>Go to your projects</Trans>
      </Button>
    </NothingHere>
  );
}

/** `children`: where to go from here. */
export function NothingHere({ children }: { children: React.ReactNode }) {
  return (
    <Message
      title={<Trans>There is nothing at this address</Trans>}
      text={<Trans>It was deleted or moved, or you are no member of its project.</Trans>}
      action={children}
    />
  );
}

function Message({
  title,
  text,
  action,
}: {
  title: React.ReactNode;
  text: React.ReactNode;
  action: React.ReactNode;
}) {
  const isWithin = useContext(IsWithinMain);
  return (
    <Center component={isWithin ? "div" : "main"} mih="60vh" p="lg">
      <Stack align="center" maw={460} ta="center">
        <Title order={1} size="h2">
          {title}
        </Title>
        <Text className="quiet">{text}</Text>
        {action}
      </Stack>
    </Center>
  );
}
