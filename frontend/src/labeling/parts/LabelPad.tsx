import { useLingui } from "@lingui/react/macro";
import { TextInput, UnstyledButton } from "@mantine/core";
import { useRef, useState } from "react";
import type { Label } from "../../api/types";
import { useShortcut } from "../../keyboard/useShortcut";
import { KeyHint } from "../../ui/KeyHint";
import { Swatch } from "../../ui/LabelChip";
import { hotkeys, useLabelKeys } from "../hotkeys";
import classes from "../Labeling.module.css";

interface Props {
  labels: Label[];
  mayEdit: boolean;
  chosen: readonly string[];
  choose: (label: Label) => void;
}

const MANY = 10;

/** A large button for each label with its key; a search beyond what has keys. */
export function LabelPad({ labels, mayEdit, chosen, choose }: Props) {
  const { t } = useLingui();
  const [word, setWord] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const keys = hotkeys(labels);
  useLabelKeys(labels, mayEdit, choose);
  useShortcut({
    id: "labeling.find",
    scope: t`Labelling`,
    title: t`Find a label`,
    keys: "/",
    disabled: labels.length <= MANY,
    run: () => field.current?.focus(),
  });
  const found = labels.filter(({ name }) => name.toLowerCase().includes(word.trim().toLowerCase()));
  return (
    <div className={classes.pad} role="group" aria-label={t`Labels`}>
      {labels.length > MANY && (
        <TextInput
          ref={field}
          size="sm"
          aria-label={t`Find a label`}
          placeholder={t`Find a label`}
          value={word}
          onChange={(event) => setWord(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") field.current?.blur();
            const [first] = found;
            if (event.key !== "Enter" || !first) return;
            choose(first);
            setWord("");
            field.current?.blur();
          }}
        />
      )}
      {found.map((label) => (
        <UnstyledButton
          key={label.id}
          className={classes.label}
          disabled={!mayEdit}
          aria-pressed={chosen.includes(label.id)}
          onClick={() => choose(label)}
        >
          <Swatch color={label.color ?? "#888"} size={16} />
          <span className={classes.text}>{label.name}</span>
          {keys.has(label.id) && <KeyHint size="sm">{keys.get(label.id)}</KeyHint>}
        </UnstyledButton>
      ))}
    </div>
  );
}
