import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group, Paper, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { asStudioError, type StudioError } from "../../api/errors";
import { useProjects } from "../../projects/queries";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { Icon } from "../../ui/Icon";
import { formatTime } from "../../ui/numbers";
import { Problem } from "../../ui/Problem";
import { ShownOnce } from "../../ui/ShownOnce";
import { curlLine } from "../curl";
import { makeToken, type NewToken, revokeToken, type Scope, type Token, useTokens } from "../queries";

const SCOPES: Scope[] = ["all", "read", "predict"];

/** What scripts and notebooks log in with. */
export function Tokens() {
  const { t } = useLingui();
  const { data, error, refetch } = useTokens();
  const [made, setMade] = useState<NewToken | null>(null);
  const [ending, setEnding] = useState<Token | null>(null);
  const endpoint = `${window.location.origin}/`;
  return (
    <Paper className="panel" p="lg">
      <Stack>
        <div>
          <Title order={2} size="h4">
            <Trans>Access tokens</Trans>
          </Title>
          <Text size="sm" className="quiet">
            <Trans>For scripts and notebooks. A token works until it expires or you end it.</Trans>
          </Text>
        </div>
        <Problem error={error} retry={() => void refetch()} />
        {data?.map((token) => (
          <Row key={token.id} token={token} end={() => setEnding(token)} />
        ))}
        {made && (
          <Alert variant="default" icon={<Icon name="key" />} title={t`Token ${made.name ?? ""}`}>
            <Stack gap="sm">
              <ShownOnce label={t`Token, shown only now`} value={made.token} />
              {made.scope === "predict" ? (
                <Text size="sm">
                  <Trans>
                    Programs written for Azure Custom Vision take it as their Prediction-Key, and {endpoint}{" "}
                    as their endpoint.
                  </Trans>
                </Text>
              ) : (
                <ShownOnce
                  label={t`A line that tries it in a terminal`}
                  value={curlLine(window.location.origin, made.token)}
                />
              )}
            </Stack>
          </Alert>
        )}
        <NewTokenForm done={setMade} />
        <ConfirmDelete
          opened={ending !== null}
          title={t`End the token ${ending?.name ?? ""}?`}
          action={t`End the token`}
          confirm={async () => {
            if (ending) await revokeToken(ending.id);
            if (ending?.id === made?.id) setMade(null);
          }}
          close={() => setEnding(null)}
        >
          <Trans>Programs that use it are not let in any more.</Trans>
        </ConfirmDelete>
      </Stack>
    </Paper>
  );
}

function Row({ token, end }: { token: Token; end: () => void }) {
  const { t, i18n } = useLingui();
  const isOver = token.expires_at !== null && Date.parse(token.expires_at) < Date.now();
  return (
    <Group justify="space-between" wrap="nowrap">
      <div style={{ minWidth: 0 }}>
        <Text size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
          {token.name}
        </Text>
        <Text size="xs" className="quiet">
          <MayDo token={token} />
          {" · "}
          <Trans>made {formatTime(token.created_at, i18n.locale)}</Trans>
          {" · "}
          {token.expires_at === null ? (
            <Trans>never expires</Trans>
          ) : isOver ? (
            <Trans>has expired</Trans>
          ) : (
            <Trans>expires {formatTime(token.expires_at, i18n.locale)}</Trans>
          )}
        </Text>
      </div>
      <Button
        size="compact-sm"
        variant="default"
        flex="none"
        aria-label={t`End the token ${token.name ?? ""}`}
        onClick={end}
      >
        <Trans>End</Trans>
      </Button>
    </Group>
  );
}

/** What a token may do; a key for predictions may be for one project alone. */
function MayDo({ token }: { token: Token }) {
  const { data: projects } = useProjects();
  if (token.scope === "read") return <Trans>reads only</Trans>;
  if (token.scope !== "predict") return <Trans>may do what you may</Trans>;
  if (!token.project) return <Trans>only predicts</Trans>;
  const name = projects?.find((project) => project.id === token.project)?.name;
  return name ? <Trans>only predicts, in {name}</Trans> : <Trans>only predicts, in one project</Trans>;
}

function NewTokenForm({ done }: { done: (token: NewToken) => void }) {
  const { t } = useLingui();
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [scope, setScope] = useState<Scope>("all");
  const [project, setProject] = useState<string | null>(null);
  const { data: projects } = useProjects();
  const [error, setError] = useState<StudioError | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const make = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setError(null);
    try {
      done(
        await makeToken(
          name.trim(),
          days === "never" ? null : Number(days),
          scope,
          scope === "predict" ? project : null,
        ),
      );
      setName("");
    } catch (problem) {
      setError(asStudioError(problem));
    } finally {
      setIsBusy(false);
    }
  };
  const beside = error?.beside("name");
  return (
    <form onSubmit={(event) => void make(event)}>
      <Group align="flex-end" gap="xs">
        <TextInput
          flex={1}
          miw={160}
          label={t`Name of a new token`}
          placeholder={t`such as: notebook`}
          maxLength={100}
          required
          value={name}
          error={error?.of("name")}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          label={t`May`}
          w={170}
          allowDeselect={false}
          data={[
            { value: "all", label: t`read and change` },
            { value: "read", label: t`only read` },
            { value: "predict", label: t`only predict` },
          ]}
          value={scope}
          onChange={(value) => setScope(SCOPES.find((known) => known === value) ?? "all")}
        />
        {scope === "predict" && (
          <Select
            label={t`In`}
            w={190}
            clearable
            searchable
            placeholder={t`all your projects`}
            data={(projects ?? []).map(({ id, name }) => ({ value: id, label: name }))}
            value={project}
            onChange={setProject}
          />
        )}
        <Select
          label={t`Expires`}
          w={150}
          allowDeselect={false}
          data={[
            { value: "30", label: t`in 30 days` },
            { value: "90", label: t`in 90 days` },
            { value: "365", label: t`in a year` },
            { value: "never", label: t`never` },
          ]}
          value={days}
          onChange={(value) => setDays(value ?? "90")}
        />
      </Group>
      <Button type="submit" mt="sm" loading={isBusy} disabled={!name.trim()}>
        <Trans>Make a token</Trans>
      </Button>
      {beside && (
        <Text size="sm" c="var(--studio-bad)" role="alert">
          {beside}
        </Text>
      )}
    </form>
  );
}
