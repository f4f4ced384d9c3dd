import { Plural, Trans, useLingui } from "@lingui/react/macro";
import {
  ActionIcon,
  Anchor,
  Collapse,
  Group,
  Slider,
  Stack,
  Switch,
  Text,
  TextInput,
  UnstyledButton,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useStore } from "zustand";
import type { Label, StudioImage } from "../../api/types";
import { hotkeys } from "../../labeling/hotkeys";
import { Icon } from "../../ui/Icon";
import { KeyHint } from "../../ui/KeyHint";
import { Swatch } from "../../ui/LabelChip";
import classes from "../Annotator.module.css";
import { annotator } from "../store";
import type { Actions } from "../useAnnotator";
import { BoxList } from "./BoxList";
import { HistoryList } from "./HistoryList";
import { SimilarImages } from "./SimilarImages";

interface Props {
  project: string;
  image: StudioImage | undefined;
  labels: Label[];
  actions: Actions;
  mayEdit: boolean;
  isDetection: boolean;
}

const MANY = 10;

/** Labels, boxes, the look of the image, and what was done to it. */
export function Panel({ project, image, labels, actions, mayEdit, isDetection }: Props) {
  const { t } = useLingui();
  const [word, setWord] = useState("");
  const chosen = useStore(annotator, (state) => state.label);
  const selected = useStore(annotator, (state) => state.selected);
  const marks = useStore(annotator, (state) => state.marks);
  const isLoaded = useStore(annotator, (state) => image !== undefined && state.image === image.id);
  const keys = hotkeys(labels);
  const found = labels.filter(({ name }) => name.toLowerCase().includes(word.trim().toLowerCase()));
  const pick = (label: Label) => {
    if (mayEdit && !isDetection) actions.classify(label.id);
    else if (mayEdit && selected) actions.relabel(selected, label.id);
    annotator.setState({ label: label.id });
  };
  const isOn = (label: Label) =>
    isDetection ? label.id === (chosen ?? labels[0]?.id) : marks.some((mark) => mark.label === label.id);
  return (
    <aside className={classes.panel} aria-label={t`Annotations`}>
      <Stack gap="md" p="sm">
        <section aria-label={t`Labels`}>
          {labels.length > MANY && (
            <TextInput
              size="xs"
              mb={4}
              aria-label={t`Find a label`}
              placeholder={t`Find a label`}
              value={word}
              onChange={(event) => setWord(event.currentTarget.value)}
            />
          )}
          {found.map((label) => (
            <UnstyledButton
              key={label.id}
              className={classes.row}
              aria-pressed={isOn(label)}
              onClick={() => pick(label)}
            >
              <Swatch color={label.color ?? "#888"} size={13} />
              <span className={classes.text}>{label.name}</span>
              {keys.has(label.id) && <KeyHint>{keys.get(label.id)}</KeyHint>}
            </UnstyledButton>
          ))}
          {labels.length === 0 && (
            <Text size="sm" className="quiet">
              <Trans>The project has no labels yet.</Trans>{" "}
              {mayEdit && (
                <Anchor component={Link} to={`/projects/${project}/labels`} inherit>
                  <Trans>Add labels</Trans>
                </Anchor>
              )}
            </Text>
          )}
        </section>
        {/* Before the image is there, nobody knows how many it has. */}
        {isDetection && isLoaded && (
          <section aria-label={t`Boxes`}>
            <Text size="xs" fw={650} className="quiet" px={8} mb={2}>
              <Plural value={marks.length} one="# box" other="# boxes" />
            </Text>
            <BoxList labels={labels} actions={actions} mayEdit={mayEdit} />
          </section>
        )}
        <Look isDetection={isDetection} />
        {image && <SimilarImages project={project} image={image.id} />}
        {image && (
          <HistoryList project={project} image={image} labels={labels} actions={actions} mayEdit={mayEdit} />
        )}
      </Stack>
    </aside>
  );
}

function Look({ isDetection }: { isDetection: boolean }) {
  const { t } = useLingui();
  const [isOpen, { toggle }] = useDisclosure(false);
  const brightness = useStore(annotator, (state) => state.brightness);
  const contrast = useStore(annotator, (state) => state.contrast);
  const crosshair = useStore(annotator, (state) => state.crosshair);
  return (
    <section>
      <UnstyledButton className={classes.row} onClick={toggle} aria-expanded={isOpen}>
        <Icon name={isOpen ? "chevron-down" : "chevron-right"} size={14} />
        <span className={classes.text}>
          <Trans>Display</Trans>
        </span>
      </UnstyledButton>
      <Collapse expanded={isOpen}>
        <Stack gap="xs" px={8}>
          <Text size="xs">{t`Brightness`}</Text>
          <Slider
            size="sm"
            min={30}
            max={300}
            value={brightness}
            onChange={(value) => annotator.setState({ brightness: value })}
            thumbLabel={t`Brightness`}
          />
          <Text size="xs">{t`Contrast`}</Text>
          <Slider
            size="sm"
            min={30}
            max={300}
            value={contrast}
            onChange={(value) => annotator.setState({ contrast: value })}
            thumbLabel={t`Contrast`}
          />
          <Group justify="space-between">
            {isDetection && (
              <Switch
                size="xs"
                label={t`Lines through the pointer`}
                checked={crosshair}
                onChange={() => annotator.setState({ crosshair: !crosshair })}
              />
            )}
            <ActionIcon
              variant="default"
              aria-label={t`As it is`}
              onClick={() => annotator.setState({ brightness: 100, contrast: 100 })}
            >
              <Icon name="refresh" size={15} />
            </ActionIcon>
          </Group>
        </Stack>
      </Collapse>
    </section>
  );
}
