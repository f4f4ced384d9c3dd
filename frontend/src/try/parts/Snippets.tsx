import { Trans, useLingui } from "@lingui/react/macro";
import {
  Anchor,
  Button,
  CopyButton,
  Group,
  Paper,
  SegmentedControl,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Icon } from "../../ui/Icon";
import { type Call, curlOf, pythonOf } from "../snippets";
import classes from "../Try.module.css";

/** The lines for this very call, to take along into a program. */
export function Snippets({ call }: { call: Call }) {
  const { t } = useLingui();
  const [language, setLanguage] = useState("curl");
  return (
    <Paper className="panel" p="md" component="section" aria-label={t`For your own program`}>
      <Stack gap="xs">
        <Title order={2} size="h4">
          <Trans>For your own program</Trans>
        </Title>
        <Text size="sm" className="quiet">
          <Trans>
            The same call without a browser. Put a token into STUDIO_TOKEN; it is not shown here. Make one in{" "}
            <Anchor component={Link} to="/account" size="sm" underline="always">
              your account
            </Anchor>
            .
          </Trans>
        </Text>
        <SegmentedControl
          aria-label={t`Language of the lines`}
          value={language}
          onChange={setLanguage}
          data={[
            { value: "curl", label: "curl" },
            { value: "python", label: "Python" },
          ]}
        />
        <Lines text={language === "curl" ? curlOf(call) : pythonOf(call)} />
      </Stack>
    </Paper>
  );
}

function Lines({ text }: { text: string }) {
  return (
    <Stack gap="xs">
      <pre className={classes.lines}>{text}</pre>
      <Group>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<Icon name={copied ? "check" : "copy"} size={14} />}
              onClick={copy}
            >
              {copied ? <Trans>Copied</Trans> : <Trans>Copy</Trans>}
            </Button>
          )}
        </CopyButton>
      </Group>
    </Stack>
  );
}
