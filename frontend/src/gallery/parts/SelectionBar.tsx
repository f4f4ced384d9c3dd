import { plural } from "@lingui/core/macro";
import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Menu, Paper, ScrollArea, Text } from "@mantine/core";
import { useState } from "react";
import { useSession } from "../../api/session";
import type { Label } from "../../api/types";
import { undo } from "../../history/history";
import { tellDone, tellProblem } from "../../history/tell";
import { useDatasets, useLabels, useMayEdit, useProject } from "../../projects/queries";
import { ConfirmDelete } from "../../ui/ConfirmDelete";
import { Icon } from "../../ui/Icon";
import { LabelChip } from "../../ui/LabelChip";
import { TrashNote } from "../../ui/TrashNote";
import { asksFirst, type BulkChange, bulk } from "../bulk";
import type { Filter } from "../filter";
import classes from "../Gallery.module.css";
import { asRequest, chooseAll, clearSelection, countOf, useSelection } from "../selection";

interface RemoveProps {
  labels: Label[] | undefined;
  isBusy: boolean;
  act: (title: string, change: BulkChange) => Promise<void>;
}

/** Where an image has none to many labels: takes one away, or says that there are none. */
function RemoveLabels({ labels, isBusy, act }: RemoveProps) {
  const { t } = useLingui();
  return (
    <Menu position="top">
      <Menu.Target>
        <Button size="compact-sm" variant="default" disabled={isBusy}>
          <Trans>Remove label</Trans>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void act(t`None of the labels`, { action: "set_empty" })}>
          <Trans>None of the labels</Trans>
        </Menu.Item>
        <ScrollArea.Autosize mah={320}>
          {labels?.map((label) => (
            <Menu.Item
              key={label.id}
              onClick={() => void act(t`Remove ${label.name}`, { action: "remove_label", label: label.id })}
            >
              <LabelChip label={label} />
            </Menu.Item>
          ))}
        </ScrollArea.Autosize>
      </Menu.Dropdown>
    </Menu>
  );
}

/** What can be done with the chosen images. */
export function SelectionBar({ project, filter, total }: { project: string; filter: Filter; total: number }) {
  const { t } = useLingui();
  const selection = useSelection();
  const mayEdit = useMayEdit(project);
  const { data } = useProject(project);
  const { data: labels } = useLabels(project);
  const { data: datasets } = useDatasets(project);
  const [isBusy, setIsBusy] = useState(false);
  const [isDeleting, setIsDeleting] = useState(false);
  const keepsDeleted = (useSession()?.limits.trash_days ?? 0) > 0;
  const count = countOf(selection, total);
  if (count === 0 && !selection.all) return null;
  const request = asRequest(selection, project);
  const act = async (title: string, change: BulkChange) => {
    setIsBusy(true);
    try {
      const answer = await bulk(project, title, { ...request, ...change });
      const back = answer.change ? { undo: () => undo(project) } : {};
      const message = <Plural value={answer.changed} one="# image changed." other="# images changed." />;
      tellDone({ title, message, undoWord: t`Undo`, ...back });
      clearSelection();
    } catch (problem) {
      tellProblem(problem);
    } finally {
      setIsBusy(false);
    }
  };
  const remove = () => act(t`Delete images`, { action: "delete" });
  const splits = [
    ["train", t`Train`],
    ["validation", t`Validation`],
    ["test", t`Test`],
  ] as const;
  return (
    <Paper className={`panel ${classes.selection}`} shadow="md" role="toolbar" aria-label={t`Chosen images`}>
      <Group gap="xs">
        <Text size="sm" fw={600} aria-live="polite">
          <Plural value={count} one="# chosen" other="# chosen" />
        </Text>
        {!selection.all && count < total && (
          <Button size="compact-sm" variant="subtle" onClick={() => chooseAll(filter)}>
            <Trans>Choose all {total}</Trans>
          </Button>
        )}
        {mayEdit && (
          <>
            {data && data.task !== "detection" && (
              <Menu position="top">
                <Menu.Target>
                  <Button size="compact-sm" loading={isBusy} leftSection={<Icon name="tag" size={15} />}>
                    <Trans context="verb">Label</Trans>
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <ScrollArea.Autosize mah={320}>
                    {labels?.map((label) => (
                      <Menu.Item
                        key={label.id}
                        onClick={() =>
                          void act(t`Label as ${label.name}`, { action: "label", label: label.id })
                        }
                      >
                        <LabelChip label={label} />
                      </Menu.Item>
                    ))}
                  </ScrollArea.Autosize>
                </Menu.Dropdown>
              </Menu>
            )}
            {data?.task === "multilabel" && <RemoveLabels labels={labels} isBusy={isBusy} act={act} />}
            <Menu position="top">
              <Menu.Target>
                <Button size="compact-sm" variant="default" disabled={isBusy}>
                  <Trans>Split</Trans>
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {splits.map(([split, name]) => (
                  <Menu.Item
                    key={split}
                    onClick={() => void act(t`Move to ${name}`, { action: "split", split })}
                  >
                    {name}
                  </Menu.Item>
                ))}
                <Menu.Item
                  onClick={() => void act(t`Take out of the splits`, { action: "split", split: null })}
                >
                  <Trans>Not assigned</Trans>
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
            {datasets && datasets.length > 1 && (
              <Menu position="top">
                <Menu.Target>
                  <Button size="compact-sm" variant="default" disabled={isBusy}>
                    <Trans>Move</Trans>
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  {datasets.map((dataset) => (
                    <Menu.Item
                      key={dataset.id}
                      onClick={() =>
                        void act(t`Move to ${dataset.name}`, { action: "move", dataset: dataset.id })
                      }
                    >
                      {dataset.name}
                    </Menu.Item>
                  ))}
                </Menu.Dropdown>
              </Menu>
            )}
            <Button
              size="compact-sm"
              variant="default"
              c="var(--studio-bad)"
              disabled={isBusy}
              onClick={() => (asksFirst(count, keepsDeleted) ? setIsDeleting(true) : void remove())}
            >
              <Trans>Delete</Trans>
            </Button>
          </>
        )}
        <Button size="compact-sm" variant="subtle" color="gray" onClick={clearSelection}>
          <Trans>Choose none</Trans>
        </Button>
      </Group>
      <ConfirmDelete
        opened={isDeleting}
        close={() => setIsDeleting(false)}
        title={plural(count, { one: "Delete # image?", other: "Delete # images?" })}
        confirm={remove}
      >
        <Trans>Their annotations go with them. Snapshots that were taken keep their copies.</Trans>{" "}
        <TrashNote />
      </ConfirmDelete>
    </Paper>
  );
}
