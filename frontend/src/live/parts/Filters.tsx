import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Select, UnstyledButton } from "@mantine/core";
import type { Label } from "../../api/types";
import { useDatasets } from "../../projects/queries";
import { LabelChip } from "../../ui/LabelChip";
import { formatNumber, formatPercent } from "../../ui/numbers";
import type { LiveModel } from "../guesses";
import classes from "../Live.module.css";
import { type GuessOrder, LEAST, type LiveSearch } from "../search";

interface Props {
  project: string;
  live: LiveModel;
  labels: readonly Label[];
  /** Whether images may have none to many labels. */
  hasSeveral: boolean;
  search: LiveSearch;
  change: (next: Partial<LiveSearch>) => void;
}

/** Side by side on a phone too. */
const WIDTH = { flex: 1, miw: 150, maw: 210 };

/** Which guesses are shown, and in which order. */
export function Filters({ project, live, labels, hasSeveral, search, change }: Props) {
  const { t, i18n } = useLingui();
  const { data: datasets = [] } = useDatasets(project);
  const counts = new Map(live.labels.map(({ label, guesses }) => [label, guesses]));
  const guessed = labels.filter(({ id }) => (counts.get(id) ?? 0) > 0 || id === search.label);
  return (
    <>
      <div className={classes.chips} role="group" aria-label={t`Labels`}>
        <UnstyledButton
          className={classes.chip}
          aria-pressed={search.label === undefined && !search.none}
          onClick={() => change({ label: undefined, none: undefined })}
        >
          <Trans>All</Trans> <span className={classes.number}>{formatNumber(live.guesses, i18n.locale)}</span>
        </UnstyledButton>
        {guessed.map((label) => (
          <UnstyledButton
            key={label.id}
            className={classes.chip}
            aria-pressed={label.id === search.label}
            onClick={() =>
              change({ label: label.id === search.label ? undefined : label.id, none: undefined })
            }
          >
            <LabelChip label={label} />
            <span className={classes.number}>{formatNumber(counts.get(label.id) ?? 0, i18n.locale)}</span>
          </UnstyledButton>
        ))}
        {hasSeveral && (
          <UnstyledButton
            className={classes.chip}
            aria-pressed={search.none === true}
            onClick={() => change({ label: undefined, none: search.none ? undefined : true })}
          >
            <Trans>None of the labels</Trans>{" "}
            <span className={classes.number}>{formatNumber(live.empty, i18n.locale)}</span>
          </UnstyledButton>
        )}
      </div>
      <Group gap="xs">
        <Select
          aria-label={t`Order`}
          {...WIDTH}
          allowDeselect={false}
          value={search.order ?? "most_confident"}
          onChange={(value) =>
            change({ order: value === "most_confident" ? undefined : (value as GuessOrder) })
          }
          data={[
            { value: "most_confident", label: t`Most confident first` },
            { value: "least_confident", label: t`Least confident first` },
          ]}
        />
        <Select
          aria-label={t`Least confidence`}
          {...WIDTH}
          allowDeselect={false}
          value={String(search.min ?? 0)}
          onChange={(value) => change({ min: Number(value) || undefined })}
          data={LEAST.map((least) => ({
            value: String(least),
            label: least === 0 ? t`Any confidence` : t`${formatPercent(least / 100, i18n.locale)} or more`,
          }))}
        />
        {datasets.length > 1 && (
          <Select
            aria-label={t`Dataset`}
            {...WIDTH}
            clearable
            placeholder={t`All datasets`}
            value={search.dataset ?? null}
            onChange={(value) => change({ dataset: value ?? undefined })}
            data={datasets.map(({ id, name }) => ({ value: id, label: name }))}
          />
        )}
      </Group>
    </>
  );
}
