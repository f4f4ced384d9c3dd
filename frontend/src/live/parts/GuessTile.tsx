import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Menu, ScrollArea } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { Label } from "../../api/types";
import { averageColor } from "../../gallery/placeholder";
import { Icon } from "../../ui/Icon";
import { LabelChip, Swatch } from "../../ui/LabelChip";
import { formatPercent } from "../../ui/numbers";
import type { Guess } from "../guesses";
import classes from "../Live.module.css";

interface Props {
  project: string;
  guess: Guess;
  labels: readonly Label[];
  mayEdit: boolean;
  isChosen: boolean;
  isCursor: boolean;
  /** The keyboard comes to one tile; arrows lead to the others. */
  isReachable: boolean;
  onToggle: () => void;
  onFocus: () => void;
  onCorrect: (label: Label) => void;
}

/** An image with what is guessed of it, and how surely. */
export function GuessTile(props: Props) {
  const { guess, labels, mayEdit, isChosen, isCursor, isReachable, onToggle, onFocus } = props;
  const { i18n } = useLingui();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!isCursor || document.activeElement === input.current) return;
    input.current?.focus({ preventScroll: true });
    input.current?.closest("li")?.scrollIntoView({ block: "nearest" });
  }, [isCursor]);
  const { image, confidence } = guess;
  const label = labels.find(({ id }) => id === guess.label);
  const share = formatPercent(confidence, i18n.locale);
  const color = label?.color ?? "#888";
  return (
    <li className={classes.tile} data-chosen={isChosen || undefined} data-image={image.id}>
      <label className={classes.body}>
        <input
          ref={input}
          type="checkbox"
          className={classes.input}
          checked={isChosen}
          disabled={!mayEdit}
          tabIndex={isReachable ? 0 : -1}
          onChange={onToggle}
          onFocus={onFocus}
          aria-label={`${image.filename}: ${label?.name ?? ""}, ${share}`}
        />
        <img
          src={image.thumbnail}
          alt=""
          decoding="async"
          draggable={false}
          style={{ background: averageColor(image.thumbhash) }}
        />
        {mayEdit && (
          <span className={classes.check} aria-hidden>
            {isChosen && <Icon name="check" size={15} />}
          </span>
        )}
        <span className={classes.caption}>
          <Swatch color={color} size={10} />
          <span className={classes.name}>{label?.name}</span>
          <span className={classes.share}>{share}</span>
        </span>
        <span className={classes.bar} aria-hidden>
          <span style={{ width: `${100 * confidence}%`, background: color }} />
        </span>
      </label>
      <TileMenu {...props} />
    </li>
  );
}

function TileMenu({ project, guess, labels, mayEdit, isReachable, onCorrect }: Props) {
  const { t } = useLingui();
  const { id, filename } = guess.image;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon
          variant="default"
          size={28}
          className={classes.menu}
          tabIndex={isReachable ? 0 : -1}
          aria-label={t`Another label for ${filename}`}
        >
          <Icon name="dots" size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {mayEdit && (
          <ScrollArea.Autosize mah={320}>
            {labels.map((label) => (
              <Menu.Item key={label.id} onClick={() => onCorrect(label)}>
                <LabelChip label={label} />
              </Menu.Item>
            ))}
          </ScrollArea.Autosize>
        )}
        <Menu.Divider />
        <Menu.Item
          leftSection={<Icon name="photo" size={15} />}
          renderRoot={(root) => (
            <Link
              {...root}
              to="/projects/$project/images/$image"
              params={{ project, image: id }}
              state={{ isOnTop: true }}
            />
          )}
        >
          <Trans>Open the image</Trans>
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
