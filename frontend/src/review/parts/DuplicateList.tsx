import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Loader, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { asStudioError, isInTheWay } from "../../api/errors";
import { type BulkChange, bulk, type Chosen } from "../../gallery/bulk";
import { useShortcut } from "../../keyboard/useShortcut";
import { useLabels } from "../../projects/queries";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { tellChanged } from "../../ui/changed";
import { EmptyState } from "../../ui/EmptyState";
import { Problem } from "../../ui/Problem";
import { type DuplicatesGroup, keepAll, useDuplicateGroups } from "../duplicates";
import { bestOf, type DuplicateKind, groupName } from "../kinds";
import { GroupCard } from "./GroupCard";

interface Props {
  project: string;
  dataset: string;
  kind: DuplicateKind;
  mayEdit: boolean;
}

/** The groups, one of which has the keys: digits choose what stays, D deletes the rest, K keeps all, G joins them. */
export function DuplicateList({ project, dataset, kind, mayEdit }: Props) {
  const { t } = useLingui();
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useDuplicateGroups(
    project,
    dataset,
    kind,
  );
  const { data: labels = [] } = useLabels(project);
  const [at, setAt] = useState(0);
  const [chosen, setChosen] = useState<Record<string, string>>({});
  const [deleting, setDeleting] = useState<DuplicatesGroup | null>(null);
  const groups = data?.pages.flatMap(({ results }) => results) ?? [];
  const current = groups[Math.min(at, groups.length - 1)];
  const staying = (group: DuplicatesGroup) => chosen[group.id] ?? bestOf(group.images)?.id;
  const others = (group: DuplicatesGroup) =>
    group.images.filter(({ id }) => id !== staying(group)).map(({ id }) => id);
  const attempt = (work: Promise<unknown>) =>
    void work.catch((problem) =>
      notifications.show({ color: "red", message: asStudioError(problem).message }),
    );
  const change = async (title: string, body: BulkChange & Chosen) =>
    tellChanged(project, title, await bulk(project, title, body), t`Undo`);
  const join = (group: DuplicatesGroup) => {
    const name =
      group.images.find((image) => image.group)?.group ??
      groupName(group.images[0]?.filename ?? "", group.id);
    const images = group.images.map(({ id }) => id);
    attempt(change(t`Put in one group`, { action: "group", group: name, images }));
  };
  const keep = (group: DuplicatesGroup) => attempt(keepAll(project, group, t`Keep all copies`));
  const move = (way: 1 | -1) => {
    const next = Math.max(0, Math.min(groups.length - 1, at + way));
    setAt(next);
    document.getElementById(`group-${groups[next]?.id}`)?.scrollIntoView({ block: "nearest" });
  };
  const scope = t`Duplicates`;
  const isOff = !mayEdit || !current;
  useShortcut({
    id: "duplicates.next",
    scope,
    title: t`Next group`,
    keys: ["ArrowDown", "J"],
    run: () => move(1),
  });
  useShortcut({
    id: "duplicates.previous",
    scope,
    title: t`Group before`,
    keys: ["ArrowUp", "P"],
    run: () => move(-1),
  });
  useShortcut({
    id: "duplicates.delete",
    scope,
    title: t`Delete all but the chosen copy`,
    keys: "D",
    disabled: isOff,
    run: () => current && setDeleting(current),
  });
  useShortcut({
    id: "duplicates.keep",
    scope,
    title: t`Keep all copies`,
    keys: "K",
    disabled: isOff,
    run: () => current && keep(current),
  });
  useShortcut({
    id: "duplicates.group",
    scope,
    title: t`Put in one group`,
    keys: "G",
    disabled: isOff,
    run: () => current && join(current),
  });
  useShortcut({
    id: "duplicates.choose",
    scope,
    title: t`Choose the next copy to keep`,
    keys: "ArrowRight",
    disabled: isOff,
    run: () => {
      if (!current) return;
      const place = current.images.findIndex(({ id }) => id === staying(current));
      const next = current.images[(place + 1) % current.images.length];
      if (next) setChosen({ ...chosen, [current.id]: next.id });
    },
  });
  if (isInTheWay(error, data)) return <Problem error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Center mih="30vh">
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  if (groups.length === 0)
    return (
      <EmptyState icon="circle-check" title={<Trans>No duplicates of this kind</Trans>}>
        <Trans>What is added later is seen by the next search.</Trans>
      </EmptyState>
    );
  const count = deleting ? others(deleting).length : 0;
  return (
    <Stack>
      {groups.map((group, index) => (
        <GroupCard
          key={group.id}
          project={project}
          group={group}
          labels={labels}
          mayEdit={mayEdit}
          isCurrent={group === current}
          staying={staying(group)}
          choose={(image) => {
            setAt(index);
            setChosen({ ...chosen, [group.id]: image });
          }}
          onDelete={() => setDeleting(group)}
          onKeep={() => keep(group)}
          onJoin={() => join(group)}
        />
      ))}
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          <Trans>Show more groups</Trans>
        </Button>
      )}
      <ConfirmDelete
        opened={deleting !== null}
        close={() => setDeleting(null)}
        title={t`Delete the other copies?`}
        confirm={() =>
          deleting
            ? change(t`Delete copies`, { action: "delete", images: others(deleting) })
            : Promise.resolve()
        }
      >
        <Text span size="sm">
          <Plural
            value={count}
            one="# image is deleted with its annotations; the chosen one stays."
            other="# images are deleted with their annotations; the chosen one stays."
          />
        </Text>
      </ConfirmDelete>
    </Stack>
  );
}
