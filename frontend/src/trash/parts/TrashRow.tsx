import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Image, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { undo } from "../../history/history";
import { tellDone, tellProblem } from "../../history/tell";
import { Icon } from "../../ui/Icon";
import { removeForGood, restore, type TrashEntry } from "../queries";
import { DeleteForGood } from "./DeleteForGood";

const ICONS = {
  images: "photo",
  video: "video",
  dataset: "database",
  model: "stack-2",
  project: "folder",
} as const;
const SIZE = 56;

/** One deletion: what it was, when, by whom, and what can be done about it. */
export function TrashRow({
  entry,
  list,
  mayEdit,
}: {
  entry: TrashEntry;
  list: string | null;
  mayEdit: boolean;
}) {
  const { t, i18n } = useLingui();
  const [isBusy, setIsBusy] = useState(false);
  const [isRemoving, setIsRemoving] = useState(false);
  const name = entry.name;
  const day = (moment: string) => new Date(moment).toLocaleDateString(i18n.locale, { dateStyle: "medium" });
  const putBack = async () => {
    setIsBusy(true);
    try {
      const { left = [] } = await restore(entry, list, t`Restore ${name}`);
      const back = list ? { undo: () => undo(list) } : {};
      const message = left.length > 0 ? <Left rows={left} /> : name;
      tellDone({ title: t`Restored`, message, undoWord: t`Undo`, ...back });
    } catch (problem) {
      tellProblem(problem);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <Group justify="space-between" gap="xs" py={8} role="listitem">
      <Group wrap="nowrap" gap="md" miw={0} flex="1 1 260px">
        {entry.thumbnail ? (
          <Image src={entry.thumbnail} alt="" w={SIZE} h={SIZE} radius="sm" fit="cover" loading="lazy" />
        ) : (
          <Stack w={SIZE} h={SIZE} align="center" justify="center" className="quiet">
            <Icon name={ICONS[entry.kind]} size={28} />
          </Stack>
        )}
        <div style={{ minWidth: 0 }}>
          <Text fw={600} truncate>
            {name}
          </Text>
          <Text size="sm" className="quiet">
            <Kind entry={entry} />
            {" · "}
            {entry.deleted_by ? (
              <Trans>
                deleted by {entry.deleted_by} on {day(entry.deleted_at)}
              </Trans>
            ) : (
              <Trans>deleted on {day(entry.deleted_at)}</Trans>
            )}
            {" · "}
            <Trans>removed for good on {day(entry.removed_at)}</Trans>
          </Text>
        </div>
      </Group>
      {mayEdit && (
        <Group gap="xs" wrap="nowrap">
          <Button
            size="compact-md"
            variant="default"
            loading={isBusy}
            aria-label={t`Restore ${name}`}
            onClick={() => void putBack()}
          >
            <Trans>Restore</Trans>
          </Button>
          <Button
            size="compact-md"
            variant="subtle"
            color="gray"
            aria-label={t`Remove ${name} for good`}
            onClick={() => setIsRemoving(true)}
          >
            <Icon name="trash" size={17} />
          </Button>
        </Group>
      )}
      <DeleteForGood
        opened={isRemoving}
        close={() => setIsRemoving(false)}
        title={t`Remove ${name} for good?`}
        confirm={() => removeForGood(entry, list)}
      />
    </Group>
  );
}

/** Which images stayed in the trash while the others came back. */
function Left({ rows }: { rows: readonly { id: string; name: string; reason: string }[] }) {
  const first = rows[0];
  if (!first) return null;
  return (
    <span>
      <Plural
        value={rows.length}
        one="All but one: it stays in the trash."
        other="All but some: # stay in the trash."
      />{" "}
      {`${first.name}: ${first.reason}`}
    </span>
  );
}

function Kind({ entry }: { entry: TrashEntry }) {
  const { count } = entry;
  switch (entry.kind) {
    case "images":
      return <Plural value={count} one="# image" other="# images" />;
    case "video":
      return count > 0 ? (
        <Plural value={count} one="Video and # of its images" other="Video and # of its images" />
      ) : (
        <Trans>Video</Trans>
      );
    case "dataset":
      return <Plural value={count} one="Dataset with # image" other="Dataset with # images" />;
    case "model":
      return <Trans>Model</Trans>;
    case "project":
      return <Plural value={count} one="Project with # image" other="Project with # images" />;
  }
}
