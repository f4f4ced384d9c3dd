import { Trans } from "@lingui/react/macro";
import { Anchor, Stack, Text, Title } from "@mantine/core";
import { useSession } from "../api/session";
import { Page } from "../ui/Page";

export default function AboutPage() {
  const session = useSession();
  return (
    <Page width="sm">
      <Stack>
        <Title order={1} size="h2">
          ML Studio {session?.version}
        </Title>
        <Text>
          <Trans>
            Label images, train models and run them on your devices. Everything stays on this studio.
          </Trans>
        </Text>
        <Anchor href="/api/docs/">
          <Trans>The HTTP interface</Trans>
        </Anchor>
      </Stack>
    </Page>
  );
}
