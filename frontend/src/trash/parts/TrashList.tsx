import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useSession } from "../../api/session";
import { EmptyState } from "../../ui/EmptyState";
import { Icon } from "../../ui/Icon";
import { Problem } from "../../ui/Problem";
import { emptyTrash, useTrash } from "../queries";
import { DeleteForGood } from "./DeleteForGood";
import { TrashRow } from "./TrashRow";

interface Props {
  /** Whose trash; null: projects of one's own. */
  project: string | null;
  title: ReactNode;
  empty: ReactNode;
  mayEdit: boolean;
}

export function TrashList({ project, title, empty, mayEdit }: Props) {
  const { t } = useLingui();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useTrash(project);
  const days = useSession()?.limits.trash_days ?? 0;
  const [isEmptying, setIsEmptying] = useState(false);
  const entries = data?.pages.flatMap(({ results }) => results);
  return (
    <Stack gap="lg">
      <Group justify="space-between" align="flex-start">
        <div>
          <Title order={1} size="h2">
            {title}
          </Title>
          <Text className="quiet" size="sm">
            <Plural
              value={days}
              one="What is deleted stays here for # day; its files count for your space until then."
              other="What is deleted stays here for # days; its files count for your space until then."
            />
          </Text>
        </div>
        {mayEdit && entries && entries.length > 0 && (
          <Button
            variant="default"
            c="var(--studio-bad)"
            leftSection={<Icon name="trash" size={16} />}
            onClick={() => setIsEmptying(true)}
          >
            <Trans>Empty the trash</Trans>
          </Button>
        )}
      </Group>
      <Problem error={error} retry={() => void refetch()} />
      {!entries && !error && <Skeleton height={160} radius="md" />}
      {entries?.length === 0 && (
        <EmptyState icon="trash" title={<Trans>The trash is empty</Trans>}>
          {empty}
        </EmptyState>
      )}
      {entries && entries.length > 0 && (
        <Paper className="panel" px="md" py="xs">
          <Stack gap={0} role="list">
            {entries.map((entry) => (
              <TrashRow key={entry.id} entry={entry} list={project} mayEdit={mayEdit} />
            ))}
          </Stack>
        </Paper>
      )}
      {hasNextPage && (
        <Group justify="center">
          <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            <Trans>Show more</Trans>
          </Button>
        </Group>
      )}
      <DeleteForGood
        opened={isEmptying}
        close={() => setIsEmptying(false)}
        title={t`Empty the trash?`}
        confirm={() => emptyTrash(project)}
      />
    </Stack>
  );
}
