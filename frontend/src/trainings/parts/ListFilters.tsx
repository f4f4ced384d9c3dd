import { useLingui } from "@lingui/react/macro";
import { Group, Select, TextInput } from "@mantine/core";
import { useStateNames } from "../../activity/names";
import { useMembers } from "../../members/queries";
import { Icon } from "../../ui/Icon";
import { type ListSearch, sinces, states } from "../listSearch";

/** Which trainings are listed; all of it stands in the address. */
export function ListFilters({
  project,
  search,
  onChange,
}: {
  project: string;
  search: ListSearch;
  onChange: (search: ListSearch) => void;
}) {
  const { t } = useLingui();
  const names = useStateNames();
  const { data: members = [] } = useMembers(project);
  const times = { day: t`the last day`, week: t`the last week`, month: t`the last month` };
  return (
    <Group gap="xs">
      <TextInput
        w={200}
        aria-label={t`Name`}
        placeholder={t`Name`}
        leftSection={<Icon name="search" size={16} />}
        value={search.q ?? ""}
        onChange={(event) => onChange({ ...search, q: event.currentTarget.value || undefined })}
      />
      <Select
        w={150}
        aria-label={t`State`}
        placeholder={t`any state`}
        clearable
        data={states.map((state) => ({ value: state, label: names[state] ?? state }))}
        value={search.state ?? null}
        onChange={(value) => onChange({ ...search, state: states.find((state) => state === value) })}
      />
      <Select
        w={170}
        aria-label={t`Started by`}
        placeholder={t`by anybody`}
        clearable
        data={members.map(({ username }) => username)}
        value={search.by ?? null}
        onChange={(by) => onChange({ ...search, by: by ?? undefined })}
      />
      <Select
        w={170}
        aria-label={t`When`}
        placeholder={t`at any time`}
        clearable
        data={sinces.map((since) => ({ value: since, label: times[since] }))}
        value={search.since ?? null}
        onChange={(value) => onChange({ ...search, since: sinces.find((since) => since === value) })}
      />
    </Group>
  );
}
