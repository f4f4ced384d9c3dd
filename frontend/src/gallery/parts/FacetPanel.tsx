import { Trans, useLingui } from "@lingui/react/macro";
import { Button, ScrollArea, Stack, Text, TextInput, UnstyledButton } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useLabels } from "../../projects/queries";
import { SavedFilters } from "../../saved/SavedFilters";
import { Swatch } from "../../ui/LabelChip";
import { type Filter, isFiltered, toggled } from "../filter";
import classes from "../Gallery.module.css";
import { useFacets } from "../queries";

const MANY = 12;

interface Props {
  project: string;
  filter: Filter;
  change: (next: Partial<Filter>) => void;
  /** Shows another filter as a whole. */
  show: (filter: Filter) => void;
}

/** Filters with the number of images that each would leave. */
export function FacetPanel({ project, filter, change, show }: Props) {
  const { t } = useLingui();
  const { data: facets } = useFacets(project, filter);
  const { data: labels } = useLabels(project);
  const [word, setWord] = useState("");
  const colors = new Map(labels?.map(({ id, color }) => [id, color]));
  const rows = facets?.labels.filter(({ name }) => name.toLowerCase().includes(word.toLowerCase())) ?? [];
  const splitNames = { train: t`Train`, validation: t`Validation`, test: t`Test`, none: t`Not assigned` };
  const originNames = {
    human: t`By hand`,
    imported: t`Imported`,
    model: t`By a model`,
    none: t`No annotation`,
  };
  const pick = <Name extends keyof Filter>(name: Name, value: Filter[Name]) =>
    change({ [name]: filter[name] === value ? undefined : value });
  return (
    <ScrollArea h="100%" type="auto">
      <Stack gap="md" p="sm">
        {isFiltered(filter) && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() =>
              change({
                label: undefined,
                without_label: undefined,
                split: undefined,
                annotated: undefined,
                reviewed: undefined,
                has_suggestions: undefined,
                origin: undefined,
                dataset: undefined,
                video: undefined,
                source: undefined,
                q: undefined,
                min_score: undefined,
              })
            }
          >
            <Trans>Clear the filters</Trans>
          </Button>
        )}
        {filter.source && (
          <Text size="sm" style={{ overflowWrap: "anywhere" }}>
            <Trans>Only images from: {filter.source}</Trans>
          </Text>
        )}
        <SavedFilters project={project} filter={filter} show={show} />
        <Section title={t`State`}>
          <Row
            text={t`Labelled`}
            count={facets?.annotated.yes}
            pressed={filter.annotated === true}
            act={() => pick("annotated", true)}
          />
          <Row
            text={t`Not labelled`}
            count={facets?.annotated.no}
            pressed={filter.annotated === false}
            act={() => pick("annotated", false)}
          />
          <Row
            text={t`With suggestions`}
            count={facets?.has_suggestions.yes}
            pressed={filter.has_suggestions === true}
            act={() => pick("has_suggestions", true)}
          />
        </Section>
        <Section title={t`Labels`}>
          {facets && facets.labels.length > MANY && (
            <TextInput
              size="xs"
              mb={4}
              aria-label={t`Find a label`}
              placeholder={t`Find a label`}
              value={word}
              onChange={(event) => setWord(event.currentTarget.value)}
            />
          )}
          {rows.map(({ id, name, count }) => (
            <Row
              key={id}
              text={name}
              mark={<Swatch color={colors.get(id) ?? "#888"} />}
              count={count}
              pressed={filter.label?.includes(id) ?? false}
              act={() => change({ label: toggled(filter.label, id) })}
            />
          ))}
          {facets?.labels.length === 0 && (
            <Text size="xs" className="quiet" px={8}>
              <Trans>The project has no labels yet.</Trans>
            </Text>
          )}
        </Section>
        {facets?.splits.length !== 0 && (
          <Section title={t`Split`}>
            {facets?.splits.map(({ value, count }) => (
              <Row
                key={value}
                text={splitNames[value]}
                count={count}
                pressed={filter.split === value}
                act={() => pick("split", value)}
              />
            ))}
          </Section>
        )}
        {facets?.origins.length !== 0 && (
          <Section title={t`Annotated by`}>
            {facets?.origins.map(({ value, count }) => (
              <Row
                key={value}
                text={originNames[value]}
                count={count}
                pressed={filter.origin === value}
                act={() => pick("origin", value)}
              />
            ))}
          </Section>
        )}
        {facets && facets.datasets.length > 1 && (
          <Section title={t`Dataset`}>
            {facets.datasets.map(({ id, name, count }) => (
              <Row
                key={id}
                text={name}
                count={count}
                pressed={filter.dataset === id}
                act={() => pick("dataset", id)}
              />
            ))}
          </Section>
        )}
      </Stack>
    </ScrollArea>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
      <Text component="legend" size="xs" fw={650} className="quiet" px={8} mb={2}>
        {title}
      </Text>
      {children}
    </fieldset>
  );
}

function Row({
  text,
  mark,
  count,
  pressed,
  act,
}: {
  text: string;
  mark?: ReactNode;
  count: number | undefined;
  pressed: boolean;
  act: () => void;
}) {
  const { i18n } = useLingui();
  return (
    <UnstyledButton className={classes.facet} aria-pressed={pressed} onClick={act} data-facet={text}>
      {mark}
      <span className={classes.text}>{text}</span>
      <span className={classes.number}>{count?.toLocaleString(i18n.locale)}</span>
    </UnstyledButton>
  );
}
