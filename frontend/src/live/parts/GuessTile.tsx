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
  /** Whether images may have none to many labels. */
  hasSeveral: boolean;
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
  const { guess, labels, hasSeveral, mayEdit, isChosen, isCursor, isReachable, onToggle, onFocus } = props;
  const { t, i18n } = useLingui();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!isCursor || document.activeElement === input.current) return;
    input.current?.focus({ preventScroll: true });
    input.current?.closest("li")?.scrollIntoView({ block: "nearest" });
  }, [isCursor]);
  const { image, confidence } = guess;
  const said = new Set(guess.labels.map(({ label }) => label));
  const own = labels.filter(({ id }) => said.has(id));
  const share = formatPercent(confidence, i18n.locale);
  const names = own.map(({ name }) => name).join(", ") || t`none of the labels`;
  const color = own[0]?.color ?? "#888";
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
          aria-label={`${image.filename}: ${names}, ${share}`}
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
        {hasSeveral ? (
          <Several guess={guess} own={own} share={share} />
        ) : (
          <span className={classes.caption}>
            <Swatch color={color} size={10} />
            <span className={classes.name}>{names}</span>
            <span className={classes.share}>{share}</span>
          </span>
        )}
        <span className={classes.bar} aria-hidden>
          <span
            style={{
              width: `${100 * confidence}%`,
              background: hasSeveral ? "var(--studio-selected)" : color,
            }}
          />
        </span>
      </label>
      <TileMenu {...props} />
    </li>
  );
}

/** The labels of an image that may have several, each with its chance, and the chance that all of them are right. */
function Several({ guess, own, share }: { guess: Guess; own: readonly Label[]; share: string }) {
  const { i18n } = useLingui();
  const chances = new Map(guess.labels.map(({ label, confidence }) => [label, confidence]));
  return (
    <span className={classes.several}>
      <span className={classes.names}>
        {own.map((label) => (
          <span key={label.id} className={classes.part}>
            <Swatch color={label.color ?? "#888"} size={10} />
            <span className={classes.name}>{label.name}</span>
            <span className={`quiet ${classes.share}`}>
              {formatPercent(chances.get(label.id) ?? 1, i18n.locale)}
            </span>
          </span>
        ))}
        {own.length === 0 && (
          <span className="quiet">
            <Trans>none of the labels</Trans>
          </span>
        )}
      </span>
      <span className={classes.all}>
        <span className="quiet">
          <Trans>all right</Trans>
        </span>
        <span className={classes.share}>{share}</span>
      </span>
    </span>
  );
}

function TileMenu({ project, guess, labels, hasSeveral, mayEdit, isReachable, onCorrect }: Props) {
  const { t } = useLingui();
  const { id, filename } = guess.image;
  const has = new Set(guess.labels.map(({ label }) => label));
  return (
    <Menu position="bottom-end" withinPortal closeOnItemClick={!hasSeveral}>
      <Menu.Target>
        <ActionIcon
          variant="default"
          size={28}
          className={classes.menu}
          tabIndex={isReachable ? 0 : -1}
          aria-label={hasSeveral ? t`Other labels for ${filename}` : t`Another label for ${filename}`}
        >
          <Icon name="dots" size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {mayEdit && (
          <ScrollArea.Autosize mah={320}>
            {labels.map((label) => (
              <Menu.Item
                key={label.id}
                onClick={() => onCorrect(label)}
                role={hasSeveral ? "menuitemcheckbox" : undefined}
                aria-checked={hasSeveral ? has.has(label.id) : undefined}
                rightSection={hasSeveral && has.has(label.id) && <Icon name="check" size={15} />}
              >
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
