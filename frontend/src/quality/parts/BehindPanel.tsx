import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Center, Drawer, Loader, Stack, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { isInTheWay } from "../../api/errors";
import { useShortcut } from "../../keyboard/useShortcut";
import { EmptyState } from "../../ui/EmptyState";
import { Problem } from "../../ui/Problem";
import classes from "../Quality.module.css";
import { type Evaluation, useBehind } from "../queries";
import { type Behind, behindOf, type QualitySearch, withBehind } from "../search";
import { LargeView } from "./LargeView";
import { Tile } from "./Tile";
import { useBehindTitle } from "./useBehindTitle";

interface Props {
  project: string;
  evaluation: Evaluation;
  search: QualitySearch;
  go: (next: QualitySearch) => void;
}

/** The images behind a number: arrows go through them, E opens one in the annotator, Esc closes. */
export function BehindPanel({ project, evaluation, search, go }: Props) {
  const { t } = useLingui();
  const behind = behindOf(search);
  const close = () => go(withBehind(search, null));
  return (
    <Drawer
      opened={behind !== null}
      onClose={close}
      position="right"
      size="min(760px, 100vw)"
      title={behind && <PanelTitle behind={behind} evaluation={evaluation} />}
      closeButtonProps={{ "aria-label": t`Close` }}
    >
      {behind && <Images project={project} evaluation={evaluation} behind={behind} search={search} go={go} />}
    </Drawer>
  );
}

function PanelTitle({ behind, evaluation }: { behind: Behind; evaluation: Evaluation }) {
  const title = useBehindTitle(behind, evaluation.metrics.task);
  return (
    <Text span fw={650} size="lg">
      {title}
    </Text>
  );
}

function Images({ project, evaluation, behind, search, go }: Props & { behind: Behind }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useBehind(
    project,
    evaluation,
    behind,
  );
  const images = data?.pages.flatMap(({ results }) => results) ?? [];
  const count = data?.pages[0]?.count ?? 0;
  const place = Math.max(
    0,
    images.findIndex(({ image }) => image === search.image),
  );
  const current = images[place];
  const show = (next: number) => {
    const found = images[next];
    if (found) go({ ...search, image: found.image });
    if (next >= images.length - 3 && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  };
  const edit = () => {
    if (current && !current.is_deleted)
      void navigate({
        to: "/projects/$project/images/$image",
        params: { project, image: current.image },
        search: {},
        state: { isOnTop: true },
      });
  };
  const scope = t`Images behind a number`;
  const inFields = true; // The panel is a dialog, and has no fields.
  useShortcut({
    id: "quality.next",
    scope,
    title: t`Next image`,
    keys: ["ArrowRight", "N"],
    inFields,
    run: () => show(place + 1),
  });
  useShortcut({
    id: "quality.previous",
    scope,
    title: t`Previous image`,
    keys: ["ArrowLeft", "P"],
    inFields,
    run: () => show(place - 1),
  });
  useShortcut({
    id: "quality.edit",
    scope,
    title: t`Open in the annotator`,
    keys: "E",
    inFields,
    run: edit,
  });
  if (isInTheWay(error, data)) return <Problem error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Center mih={240}>
        <Loader aria-label={t`Loading`} />
      </Center>
    );
  if (!current)
    return <EmptyState icon="circle-check" title={<Trans>No image is behind this number</Trans>} />;
  return (
    <Stack>
      <Text size="sm" className="quiet" aria-live="polite">
        <Plural value={count} one="# image" other="# images" />
        {" · "}
        <Trans>
          {place + 1} of {count}
        </Trans>
      </Text>
      <LargeView
        key={current.image}
        model={evaluation.model}
        outcome={current}
        label={behind.predicted ?? behind.label ?? current.predicted}
        edit={edit}
      />
      <ul className={classes.tiles} aria-label={t`Images`}>
        {images.map((outcome, index) => (
          <li key={outcome.image}>
            <Tile outcome={outcome} isCurrent={index === place} choose={() => show(index)} />
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          <Trans>Show more images</Trans>
        </Button>
      )}
    </Stack>
  );
}
