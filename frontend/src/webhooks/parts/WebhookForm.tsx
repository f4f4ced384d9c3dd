import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Checkbox, Group, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { asStudioError, type StudioError } from "../../api/errors";
import { events, type WebhookEvent } from "../queries";
import { useEventNames } from "../words";

interface Props {
  url?: string;
  chosen?: WebhookEvent[];
  action: string;
  send: (url: string, chosen: WebhookEvent[]) => Promise<unknown>;
  cancel: () => void;
}

/** Where to call, and when. */
export function WebhookForm({ url: first = "", chosen: before = ["training.finished"], ...props }: Props) {
  const { t } = useLingui();
  const names = useEventNames();
  const [url, setUrl] = useState(first);
  const [chosen, setChosen] = useState<string[]>(before);
  const [error, setError] = useState<StudioError | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setError(null);
    try {
      await props.send(
        url.trim(),
        events.filter((one) => chosen.includes(one)),
      );
    } catch (problem) {
      setError(asStudioError(problem));
    } finally {
      setIsBusy(false);
    }
  };
  const beside = error?.beside("url", "events");
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <TextInput
          data-autofocus
          label={t`Address`}
          description={t`It begins with https. The studio sends each message there with POST.`}
          placeholder="https://example.com/studio"
          inputMode="url"
          required
          maxLength={500}
          value={url}
          error={error?.of("url")}
          onChange={(event) => setUrl(event.currentTarget.value)}
        />
        <Checkbox.Group
          label={t`Call it when`}
          value={chosen}
          onChange={setChosen}
          error={error?.of("events")}
        >
          <Stack gap={8} pt="xs">
            {events.map((one) => (
              <Checkbox key={one} value={one} label={names[one]} />
            ))}
          </Stack>
        </Checkbox.Group>
        {beside && (
          <Text size="sm" c="var(--studio-bad)" role="alert">
            {beside}
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.cancel}>
            <Trans>Cancel</Trans>
          </Button>
          <Button type="submit" loading={isBusy} disabled={!url.trim() || chosen.length === 0}>
            {props.action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
