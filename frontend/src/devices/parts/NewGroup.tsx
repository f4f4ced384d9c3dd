import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Problem } from "../../ui/Problem";
import { makeGroup } from "../queries";

/** A name, and a group is there. */
export function NewGroup({ project }: { project: string }) {
  const { t } = useLingui();
  const [name, setName] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const make = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setError(null);
    try {
      await makeGroup(project, name.trim());
      setName("");
    } catch (problem) {
      setError(problem);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void make(event)}>
      <Group align="flex-end" gap="xs">
        <TextInput
          label={t`New group`}
          placeholder={t`such as: gate, line 2`}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={100}
        />
        <Button type="submit" variant="default" loading={isBusy} disabled={!name.trim()}>
          <Trans>Make it</Trans>
        </Button>
      </Group>
      <Problem error={error} />
    </form>
  );
}
