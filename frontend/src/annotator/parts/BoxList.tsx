import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Group, Text, UnstyledButton } from "@mantine/core";
import { useMemo } from "react";
import { useStore } from "zustand";
import type { Label } from "../../api/types";
import { Icon } from "../../ui/Icon";
import { Swatch } from "../../ui/LabelChip";
import classes from "../Annotator.module.css";
import { annotator, asShown, type Mark } from "../store";
import type { Actions } from "../useAnnotator";
import { nameOf } from "./Overlays";

const SHOWN = 200;

export function BoxList({
  labels,
  actions,
  mayEdit,
}: {
  labels: Label[];
  actions: Actions;
  mayEdit: boolean;
}) {
  const marks = useStore(annotator, (state) => state.marks);
  const guesses = useStore(annotator, (state) => state.guesses);
  const selected = useStore(annotator, (state) => state.selected);
  const byId = useMemo(() => new Map(labels.map((label) => [label.id, label])), [labels]);
  if (marks.length === 0)
    return (
      <Text size="xs" className="quiet" px={8}>
        {mayEdit ? (
          <Trans>Drag over a thing, or click its two corners.</Trans>
        ) : (
          <Trans>Nothing is marked on this image.</Trans>
        )}
      </Text>
    );
  return (
    <>
      {marks.slice(0, SHOWN).map((mark) => (
        <Row
          key={mark.id}
          mark={asShown(mark, guesses)}
          labels={byId}
          isSelected={mark.id === selected}
          actions={actions}
          mayEdit={mayEdit}
        />
      ))}
      {marks.length > SHOWN && (
        <Text size="xs" className="quiet" px={8}>
          <Trans>and {marks.length - SHOWN} more</Trans>
        </Text>
      )}
    </>
  );
}

interface RowProps {
  mark: Mark;
  labels: ReadonlyMap<string, Label>;
  isSelected: boolean;
  actions: Actions;
  mayEdit: boolean;
}

function Row({ mark, labels, isSelected, actions, mayEdit }: RowProps) {
  const { t } = useLingui();
  const flag = (change: Partial<Mark>) =>
    annotator.setState(({ marks }) => ({
      marks: marks.map((other) => (other.id === mark.id ? { ...other, ...change } : other)),
    }));
  const name = nameOf(mark, labels);
  return (
    <Group
      gap={0}
      wrap="nowrap"
      className={classes.row}
      aria-current={isSelected || undefined}
      data-box={mark.id}
    >
      <UnstyledButton
        flex={1}
        miw={0}
        aria-label={t`Select ${name}`}
        onClick={() => annotator.setState({ selected: mark.id, tool: "select" })}
      >
        <Group gap={8} wrap="nowrap">
          <Swatch color={labels.get(mark.label)?.color ?? "#888"} />
          <span className={classes.text}>{name}</span>
        </Group>
      </UnstyledButton>
      {mayEdit && !mark.confirmed && (
        <ActionIcon
          variant="subtle"
          color="green"
          size="sm"
          aria-label={t`Accept ${name}`}
          onClick={() => actions.accept(mark.id)}
        >
          <Icon name="check" size={15} />
        </ActionIcon>
      )}
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-pressed={mark.isHidden ?? false}
        aria-label={t`Hide ${name}`}
        onClick={() => flag({ isHidden: !mark.isHidden })}
      >
        <Icon name={mark.isHidden ? "eye-off" : "eye"} size={15} />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-pressed={mark.isLocked ?? false}
        aria-label={t`Lock ${name}`}
        onClick={() => flag({ isLocked: !mark.isLocked })}
      >
        <Icon name={mark.isLocked ? "lock" : "lock-open"} size={15} />
      </ActionIcon>
      {mayEdit && (
        <ActionIcon
          variant="subtle"
          color="gray"
          size="sm"
          aria-label={t`Remove ${name}`}
          onClick={() => actions.remove(mark.id)}
        >
          <Icon name="trash" size={15} />
        </ActionIcon>
      )}
    </Group>
  );
}
