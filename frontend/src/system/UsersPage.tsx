import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Select, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Icon } from "../ui/Icon";
import { Problem } from "../ui/Problem";
import { usePageNavigate } from "../ui/usePageNavigate";
import { UserTable } from "./parts/UserTable";
import { useUsers } from "./queries";
import { kinds, type UsersSearch } from "./search";

/** Who has an account, what they have, and whether they are let in. */
export default function UsersPage() {
  const { t } = useLingui();
  const search = useSearch({ from: "/shell/system/users" });
  const navigate = usePageNavigate({ from: "/system/users" });
  const [words, setWords] = useState(search.q ?? "");
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useUsers(search);
  const users = data?.pages.flatMap(({ results }) => results) ?? [];
  const change = (next: UsersSearch) =>
    void navigate({ search: { ...search, ...next }, replace: true, resetScroll: false });
  const find = useDebouncedCallback((text: string) => change({ q: text.trim() || undefined }), 250);
  return (
    <Paper className="panel" p="md">
      <Stack gap="sm">
        <Group align="flex-end">
          <TextInput
            flex={1}
            miw={180}
            label={t`Find a user`}
            placeholder={t`part of a name or of a mail address`}
            leftSection={<Icon name="search" size={16} />}
            value={words}
            onChange={(event) => {
              setWords(event.currentTarget.value);
              find(event.currentTarget.value);
            }}
          />
          <Select
            label={t`Show`}
            w={180}
            allowDeselect={false}
            data={[
              { value: "all", label: t`all users` },
              { value: "staff", label: t`the staff` },
              { value: "inactive", label: t`who is kept out` },
            ]}
            value={search.only ?? "all"}
            onChange={(value) => change({ only: kinds.find((one) => one === value) })}
          />
        </Group>
        <Problem error={error} retry={() => void refetch()} />
        {!data && !error && <Skeleton height={200} />}
        {data && users.length === 0 && (
          <Text size="sm" className="quiet" role="status">
            <Trans>No user fits.</Trans>
          </Text>
        )}
        {users.length > 0 && <UserTable users={users} />}
        {hasNextPage && (
          <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            <Trans>Show more users</Trans>
          </Button>
        )}
      </Stack>
    </Paper>
  );
}
