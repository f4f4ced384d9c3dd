import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Group, Loader, Paper, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { isInTheWay } from "../api/errors";
import { useProjects } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { Page } from "../ui/Page";
import { Problem } from "../ui/Problem";
import { usePageNavigate } from "../ui/usePageNavigate";
import { HitRow } from "./HitRow";
import { type Kind, kinds } from "./hits";
import { useKindNames } from "./names";
import { LEAST_LETTERS, useHits, useHitsOf } from "./queries";

/** Everything that is called so: some of each kind, or all of one. */
export default function SearchPage() {
  const { t } = useLingui();
  const search = useSearch({ from: "/shell/search" });
  const navigate = usePageNavigate({ from: "/search" });
  const { data: projects } = useProjects();
  const names = useKindNames();
  const { q = "", project, kind } = search;
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: { ...search, ...next }, replace: true, resetScroll: false });
  const isShort = q.trim().length < LEAST_LETTERS;
  return (
    <Page width="md">
      <Stack gap="lg">
        <Title order={1} size="h2">
          <Trans>Search</Trans>
        </Title>
        <Group align="flex-end">
          <Words value={q} change={(text) => change({ q: text || undefined })} />
          <Select
            label={t`Project`}
            clearable
            clearButtonProps={{ "aria-label": t`Search in all projects` }}
            placeholder={t`All projects`}
            data={projects?.map(({ id, name }) => ({ value: id, label: name })) ?? []}
            value={project ?? null}
            onChange={(value) => change({ project: value ?? undefined })}
          />
        </Group>
        <Group gap={6} role="group" aria-label={t`Kinds of hits`}>
          {([undefined, ...kinds] as (Kind | undefined)[]).map((one) => (
            <Button
              key={one ?? "all"}
              size="compact-sm"
              variant={one === kind ? "filled" : "default"}
              aria-pressed={one === kind}
              onClick={() => change({ kind: one })}
            >
              {one ? names[one] : t`All`}
            </Button>
          ))}
        </Group>
        {isShort ? (
          <EmptyState icon="search" title={<Trans>Two letters are enough</Trans>}>
            <Trans>
              Projects, datasets, labels, images, snapshots, models, trainings and videos are found by name.
            </Trans>
          </EmptyState>
        ) : kind ? (
          <OfOneKind key={`${kind}-${q}-${project}`} kind={kind} q={q.trim()} project={project} />
        ) : (
          <OfAllKinds q={q.trim()} project={project} more={(one) => change({ kind: one })} />
        )}
      </Stack>
    </Page>
  );
}

function Words({ value, change }: { value: string; change: (text: string) => void }) {
  const { t } = useLingui();
  const [text, setText] = useState(value);
  const later = useDebouncedCallback(change, 250);
  return (
    <TextInput
      flex={1}
      miw={200}
      type="search"
      label={t`Name contains`}
      leftSection={<Icon name="search" size={16} />}
      value={text}
      maxLength={100}
      onChange={(event) => {
        setText(event.currentTarget.value);
        later(event.currentTarget.value);
      }}
    />
  );
}

function Nothing() {
  return (
    <EmptyState icon="search" title={<Trans>Nothing found</Trans>}>
      <Trans>
        Only what you may see is searched. Part of a name is enough, and upper or lower case is the same.
      </Trans>
    </EmptyState>
  );
}

function OfAllKinds({ q, project, more }: { q: string; project?: string; more: (kind: Kind) => void }) {
  const { t } = useLingui();
  const names = useKindNames();
  const { data, error, refetch } = useHits(q, project, 8);
  if (isInTheWay(error, data)) return <Problem error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Center mih={160}>
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  if (data.length === 0) return <Nothing />;
  return (
    <Stack>
      {kinds
        .map((kind) => data.find((group) => group.kind === kind))
        .filter((group) => group !== undefined)
        .map((group) => (
          <Paper key={group.kind} className="panel" p="md" component="section" aria-label={names[group.kind]}>
            <Title order={2} size="h5" mb={4}>
              {names[group.kind]}
            </Title>
            {group.hits.map((hit) => (
              <HitRow key={hit.id} kind={group.kind} hit={hit} />
            ))}
            {group.more && (
              <Button size="compact-sm" variant="subtle" onClick={() => more(group.kind)}>
                <Trans>Show all of them</Trans>
              </Button>
            )}
          </Paper>
        ))}
    </Stack>
  );
}

function OfOneKind({ kind, q, project }: { kind: Kind; q: string; project?: string }) {
  const { t } = useLingui();
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useHitsOf(
    kind,
    q,
    project,
  );
  if (isInTheWay(error, data)) return <Problem error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Center mih={160}>
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  const hits = data.pages.flatMap((page) => page.hits);
  if (hits.length === 0) return <Nothing />;
  return (
    <Paper className="panel" p="md">
      {hits.map((hit) => (
        <HitRow key={hit.id} kind={kind} hit={hit} />
      ))}
      {hasNextPage && (
        <Button variant="default" mt="sm" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          <Trans>Show more</Trans>
        </Button>
      )}
      <Text size="xs" className="quiet" mt="xs" aria-live="polite">
        <Trans>{hits.length} shown</Trans>
      </Text>
    </Paper>
  );
}
