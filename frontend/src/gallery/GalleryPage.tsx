import { Plural, Trans, useLingui } from "@lingui/react/macro";
import {
  ActionIcon,
  Button,
  Center,
  Drawer,
  Group,
  Loader,
  SegmentedControl,
  Select,
  Text,
  TextInput,
} from "@mantine/core";
import { useDebouncedCallback, useDisclosure, useMediaQuery } from "@mantine/hooks";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { prefer, usePreferences } from "../preferences/preferences";
import { useMayEdit } from "../projects/queries";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { Problem } from "../ui/Problem";
import { usePageNavigate } from "../ui/usePageNavigate";
import { type Filter, isFiltered, type Ordering, type TileSize } from "./filter";
import classes from "./Gallery.module.css";
import { FacetPanel } from "./parts/FacetPanel";
import { Grid } from "./parts/Grid";
import { SelectionBar } from "./parts/SelectionBar";
import { useTotal } from "./queries";
import { clearSelection } from "./selection";

export default function GalleryPage() {
  const { t } = useLingui();
  const { project } = useParams({ from: "/shell/projects/$project/images" });
  const mayEdit = useMayEdit(project);
  const filter = useSearch({ from: "/shell/projects/$project/images" });
  const navigate = usePageNavigate({ from: "/projects/$project/images" });
  const isNarrow = useMediaQuery("(max-width: 900px)");
  const [panelIsOpen, panel] = useDisclosure(false);
  const { tile_size: preferred } = usePreferences();
  // An address may ask for a size; else it is the one that was chosen last, in whichever browser.
  const size = filter.size ?? preferred ?? "m";
  const grid = useTotal(project, filter);
  const change = (next: Partial<Filter>) =>
    void navigate({ search: (now: Filter) => ({ ...now, ...next }), replace: true, resetScroll: false });
  const shownFilter = JSON.stringify({ ...filter, size: undefined });
  useEffect(clearSelection, [shownFilter, project]);
  const facets = (
    <FacetPanel
      project={project}
      filter={filter}
      change={change}
      show={(next) => void navigate({ search: next, resetScroll: false })}
    />
  );
  return (
    <div className={classes.page}>
      {!isNarrow && <aside className={classes.facets}>{facets}</aside>}
      <Drawer
        opened={panelIsOpen && Boolean(isNarrow)}
        onClose={panel.close}
        title={t`Filters`}
        size="xs"
        closeButtonProps={{ "aria-label": t`Close` }}
      >
        {facets}
      </Drawer>
      <section className={classes.main} aria-label={t`Images`}>
        <Group px="sm" py={8} gap="sm" className={classes.bar}>
          {isNarrow && (
            <ActionIcon variant="default" size="lg" onClick={panel.open} aria-label={t`Filters`}>
              <Icon name="filter" />
            </ActionIcon>
          )}
          <Text size="sm" fw={600} aria-live="polite" miw={110}>
            {grid.total !== undefined && <Plural value={grid.total} one="# image" other="# images" />}
          </Text>
          <NameFilter value={filter.q} change={(q) => change({ q })} />
          <Select
            aria-label={t`Order`}
            w={170}
            allowDeselect={false}
            value={filter.ordering ?? "-id"}
            onChange={(value) =>
              change({
                ordering: value as Ordering,
                seed: value === "random" ? Date.now() % 100_000 : undefined,
              })
            }
            data={[
              { value: "-id", label: t`Newest first` },
              { value: "id", label: t`Oldest first` },
              { value: "filename", label: t`File name` },
              { value: "-size", label: t`Largest file first` },
              { value: "uncertainty", label: t`Least sure first` },
              { value: "random", label: t`Shuffled` },
            ]}
          />
          <SegmentedControl
            aria-label={t`Size of the tiles`}
            size="xs"
            value={size}
            onChange={(value) => {
              prefer({ tile_size: value as TileSize });
              change({ size: undefined });
            }}
            data={[
              { value: "s", label: t`Small` },
              { value: "m", label: t`Medium` },
              { value: "l", label: t`Large` },
            ]}
          />
        </Group>
        <Problem error={grid.error} retry={() => void grid.refetch()} />
        {grid.total === undefined && !grid.error && (
          <Center flex={1}>
            <Loader aria-label={t`Loading`} />
          </Center>
        )}
        {grid.total === 0 &&
          (isFiltered(filter) ? (
            <EmptyState
              icon="filter"
              title={<Trans>No image fits these filters</Trans>}
              action={
                <Button variant="default" onClick={() => void navigate({ search: { size: filter.size } })}>
                  <Trans>Show all images</Trans>
                </Button>
              }
            />
          ) : (
            <EmptyState
              icon="photo-plus"
              title={<Trans>No images yet</Trans>}
              action={
                mayEdit && (
                  <Button component={Link} to={`/projects/${project}/import`}>
                    <Trans>Add images</Trans>
                  </Button>
                )
              }
            >
              <Trans>Drop images, folders or archives anywhere on this page.</Trans>
            </EmptyState>
          ))}
        {grid.total !== undefined && grid.total > 0 && (
          <Grid project={project} filter={filter} size={size} total={grid.total} />
        )}
        <SelectionBar project={project} filter={filter} total={grid.total ?? 0} />
      </section>
    </div>
  );
}

function NameFilter({
  value,
  change,
}: {
  value: string | undefined;
  change: (q: string | undefined) => void;
}) {
  const { t } = useLingui();
  const [text, setText] = useState(value ?? "");
  const [shown, setShown] = useState(value);
  // The address changed by something else than these keys: a saved filter, or Back.
  if (value !== shown) {
    setShown(value);
    if ((value ?? "") !== text.trim()) setText(value ?? "");
  }
  const later = useDebouncedCallback((next: string) => change(next.trim() || undefined), 250);
  return (
    <TextInput
      aria-label={t`File name contains`}
      placeholder={t`File name`}
      leftSection={<Icon name="search" size={16} />}
      w={180}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        later(event.currentTarget.value);
      }}
    />
  );
}
